import { swapsSides, type ImageHeader } from "../../../../shared/image/header/image-header.ts";
import type { DecodedPicture } from "../../../../shared/image/picture-decoder.ts";
import { wholeFile, type NativeCodec } from "./native-codec.ts";

/**
 * JPEG -> RGB by libjpeg-turbo, with its slow integer DCT and smooth upsampling: the same bits as Pillow's. The decoder
 * writes each pixel where orientation wants it, so a quarter turn needs no second picture.
 */
export function decodeJpeg(codec: NativeCodec, bytes: Uint8Array, header: ImageHeader): DecodedPicture {
  const { width, height, orientation } = header;
  const turned = swapsSides(orientation);
  const { start, dx, dy } = strides(header);
  const { data } = codec.decode(wholeFile(bytes), width * height * 3, [width, height, start, dx, dy]);
  return { data, width: turned ? height : width, height: turned ? width : height, channels: 3, upright: true };
}

/** Where stored pixel (x, y) lies in the upright picture: `start + x * dx + y * dy`, in bytes. */
function strides({ width, height, orientation }: ImageHeader): { start: number; dx: number; dy: number } {
  const [toRight, toBottom] = [3 * (width - 1), 3 * (height - 1)];
  const row = 3 * width;
  const column = 3 * height;
  switch (orientation) {
    case 1:
      return { start: 0, dx: 3, dy: row };
    case 2:
      return { start: toRight, dx: -3, dy: row };
    case 3:
      return { start: width * toBottom + toRight, dx: -3, dy: -row };
    case 4:
      return { start: width * toBottom, dx: 3, dy: -row };
    case 5:
      return { start: 0, dx: column, dy: 3 };
    case 6:
      return { start: toBottom, dx: column, dy: -3 };
    case 7:
      return { start: height * toRight + toBottom, dx: -column, dy: -3 };
    case 8:
      return { start: height * toRight, dx: -column, dy: 3 };
    default:
      return orientation satisfies never;
  }
}
