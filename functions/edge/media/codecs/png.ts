import { FoveaError } from "../../../../shared/errors/error.ts";
import { startsWithAscii } from "../../../../shared/image/header/exif.ts";
import type { ImageHeader } from "../../../../shared/image/header/image-header.ts";
import type { DecodedPicture } from "../../../../shared/image/picture-decoder.ts";
import type { NativeCodec } from "./native-codec.ts";

/**
 * PNG -> RGB, or RGBA where there is any transparency, by libspng. Palettes, small depths and tRNS are expanded; of
 * 16-bit samples the high byte stays. Of an APNG the default picture.
 */
export function decodePng(
  codec: NativeCodec,
  bytes: Uint8Array,
  { width, height, alpha }: ImageHeader,
): DecodedPicture {
  const channels = alpha ? 4 : 3;
  const write = (into: Uint8Array): void => copyNeeded(bytes, into);
  const { data, result } = codec.decode({ length: bytes.length, write }, width * height * channels, [
    width,
    height,
    channels,
  ]);
  if (result !== 1) throw new FoveaError("invalid_image", "The PNG file is damaged.");
  return { data, width, height, channels, upright: false };
}

const NEEDED = ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"];

/**
 * Copies only the chunks that make pixels. Colour profiles, texts and animation are no business of a decoder: less code
 * reads hostile bytes, and a damaged comment does not cost the picture. Bounds were checked when the header was read.
 */
function copyNeeded(bytes: Uint8Array, into: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  into.set(bytes.subarray(0, 8));
  let to = 8;
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = at + 12 + view.getUint32(at);
    if (NEEDED.some((type) => startsWithAscii(bytes, type, at + 4))) {
      into.set(bytes.subarray(at, end), to);
      to += end - at;
    }
    if (startsWithAscii(bytes, "IEND", at + 4)) break;
    at = end;
  }
  into.fill(0, to);
}
