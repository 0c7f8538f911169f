import type { RgbImage } from "./rgb-image.ts";

/** A part of a picture, copied. */
export function crop(image: RgbImage, left: number, top: number, width: number, height: number): RgbImage {
  if (left === 0 && top === 0 && width === image.width && height === image.height) return image;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    const from = ((top + y) * image.width + left) * 3;
    data.set(image.data.subarray(from, from + width * 3), y * width * 3);
  }
  return { data, width, height };
}

/** The picture on a larger ground of one colour. */
export function placeOn(
  image: RgbImage,
  ground: { readonly width: number; readonly height: number; readonly color: readonly number[] },
  left: number,
  top: number,
): RgbImage {
  const { width, height, color } = ground;
  const data = new Uint8Array(width * height * 3);
  if (color.some((value) => value !== 0)) {
    for (let at = 0; at < data.length; at += 3) for (let c = 0; c < 3; c += 1) data[at + c] = color[c] ?? 0;
  }
  for (let y = 0; y < image.height; y += 1) {
    const row = image.data.subarray(y * image.width * 3, (y + 1) * image.width * 3);
    data.set(row, ((top + y) * width + left) * 3);
  }
  return { data, width, height };
}

/** The whole of `image` as channels, rows, columns, at `at` in `into`; the frame there has `width` x `height`. */
export function writePlanar(image: RgbImage, into: Uint8Array, at: number, width: number, height: number): void {
  const plane = width * height;
  for (let y = 0; y < image.height; y += 1) {
    let from = y * image.width * 3;
    let to = at + y * width;
    for (let x = 0; x < image.width; x += 1, from += 3, to += 1) {
      into[to] = image.data[from] ?? 0;
      into[to + plane] = image.data[from + 1] ?? 0;
      into[to + 2 * plane] = image.data[from + 2] ?? 0;
    }
  }
}
