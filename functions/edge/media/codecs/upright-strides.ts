import type { ImageHeader } from "../../../../shared/image/header/image-header.ts";

/** Where stored pixel (x, y) lies in the upright picture: `start + x * dx + y * dy`, in bytes. */
export interface Strides {
  readonly start: number;
  readonly dx: number;
  readonly dy: number;
}

/** @param channels bytes of a pixel */
export function uprightStrides({ width, height, orientation }: ImageHeader, channels: number): Strides {
  const [toRight, toBottom] = [channels * (width - 1), channels * (height - 1)];
  const row = channels * width;
  const column = channels * height;
  switch (orientation) {
    case 1:
      return { start: 0, dx: channels, dy: row };
    case 2:
      return { start: toRight, dx: -channels, dy: row };
    case 3:
      return { start: width * toBottom + toRight, dx: -channels, dy: -row };
    case 4:
      return { start: width * toBottom, dx: channels, dy: -row };
    case 5:
      return { start: 0, dx: column, dy: channels };
    case 6:
      return { start: toBottom, dx: column, dy: -channels };
    case 7:
      return { start: height * toRight + toBottom, dx: -column, dy: -channels };
    case 8:
      return { start: height * toRight, dx: -column, dy: channels };
    default:
      return orientation satisfies never;
  }
}
