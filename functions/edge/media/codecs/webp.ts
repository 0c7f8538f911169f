import { FoveaError } from "../../../../shared/errors/error.ts";
import { startsWithAscii } from "../../../../shared/image/header/exif.ts";
import type { ImageHeader } from "../../../../shared/image/header/image-header.ts";
import type { DecodedPicture } from "../../../../shared/image/picture-decoder.ts";
import { wholeFile, type NativeCodec } from "./native-codec.ts";

/** WebP -> RGB or RGBA by libwebp. Of an animation the first frame, on a transparent canvas. */
export function decodeWebp(codec: NativeCodec, bytes: Uint8Array, header: ImageHeader): DecodedPicture {
  const frame = firstFrame(bytes);
  if (frame === undefined) return decodeStill(codec, bytes, header, header.alpha ? 4 : 3);
  const { file, left, top, width, height } = frame;
  const picture = decodeStill(codec, file, { width, height }, 4);
  if (width === header.width && height === header.height) return picture;
  const data = new Uint8Array(header.width * header.height * 4);
  for (let y = 0; y < height; y += 1) {
    const row = picture.data.subarray(y * width * 4, (y + 1) * width * 4);
    data.set(row, ((top + y) * header.width + left) * 4);
  }
  return { ...picture, data, width: header.width, height: header.height };
}

function decodeStill(
  codec: NativeCodec,
  bytes: Uint8Array,
  { width, height }: Pick<ImageHeader, "width" | "height">,
  channels: 3 | 4,
): DecodedPicture {
  const { data, result } = codec.decode(wholeFile(bytes), width * height * channels, [width, height, channels]);
  if (result !== 1) throw new FoveaError("invalid_image", "The WebP file is damaged.");
  return { data, width, height, channels, upright: false };
}

interface Frame {
  /** The frame as a file of its own. */
  readonly file: Uint8Array;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The first `ANMF` chunk; undefined for a still picture. Bounds were checked when the header was read. */
function firstFrame(bytes: Uint8Array): Frame | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u24 = (at: number): number => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  for (let at = 12; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + 4, true);
    const body = at + 8;
    if (startsWithAscii(bytes, "ANMF", at)) {
      const [width, height] = [1 + u24(body + 6), 1 + u24(body + 9)];
      const chunks = bytes.subarray(body + 16, body + length);
      return { file: stillFile(chunks, width, height), left: 2 * u24(body), top: 2 * u24(body + 3), width, height };
    }
    at = body + length + (length & 1);
  }
  return undefined;
}

/** `RIFF`, `VP8X` with the alpha flag, then the frame's own chunks (`ALPH`, `VP8 ` or `VP8L`). RFC 9649, 2.7. */
function stillFile(chunks: Uint8Array, width: number, height: number): Uint8Array {
  const head = 30;
  const file = new Uint8Array(head + chunks.length);
  const view = new DataView(file.buffer);
  const ascii = (text: string, at: number): void => file.set(new TextEncoder().encode(text), at);
  ascii("RIFF", 0);
  view.setUint32(4, file.length - 8, true);
  ascii("WEBPVP8X", 8);
  view.setUint32(16, 10, true);
  view.setUint8(20, 0x10);
  view.setUint16(24, (width - 1) & 0xffff, true);
  view.setUint8(26, (width - 1) >> 16);
  view.setUint16(27, (height - 1) & 0xffff, true);
  view.setUint8(29, (height - 1) >> 16);
  file.set(chunks, head);
  return file;
}
