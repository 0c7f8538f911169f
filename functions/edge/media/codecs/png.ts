import { FoveaError } from "../../../../shared/errors/error.ts";
import { startsWithAscii } from "../../../../shared/image/header/exif.ts";
import type { ImageHeader } from "../../../../shared/image/header/image-header.ts";
import type { DecodedPicture } from "../../../../shared/image/picture-decoder.ts";
import { readParts, type PictureHeap } from "./picture-heap.ts";
import { turnUpright } from "./turn-upright.ts";

/**
 * PNG -> RGB, or RGBA where there is any transparency, by libspng. Palettes, small depths and tRNS are expanded; of
 * 16-bit samples the high byte stays. Of an APNG the default picture.
 */
export function decodePng(pictureHeap: PictureHeap, bytes: Uint8Array, header: ImageHeader): DecodedPicture {
  const { width, height, alpha } = header;
  const channels = alpha ? 4 : 3;
  return pictureHeap.use("PNG", readParts(neededParts(bytes)), (heap) => {
    const out = heap.codecs.allocate(width * height * channels);
    if (heap.codecs.decode_png(out, width, height, channels) !== 1) {
      throw new FoveaError("invalid_image", "The PNG file is damaged.");
    }
    return turnUpright(heap, out, header, channels);
  });
}

const NEEDED = ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"];

/**
 * Only the chunks that make pixels. Colour profiles, texts and animation are no business of a decoder: less code reads
 * hostile bytes, and a damaged comment does not cost the picture. Bounds were checked when the header was read.
 */
function* neededParts(bytes: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 0;
  let at = 8;
  for (let last = false; !last && at + 12 <= bytes.length;) {
    const end = at + 12 + view.getUint32(at);
    if (!NEEDED.some((type) => startsWithAscii(bytes, type, at + 4))) {
      yield bytes.subarray(start, at);
      start = end;
    }
    last = startsWithAscii(bytes, "IEND", at + 4);
    at = end;
  }
  yield bytes.subarray(start, at);
}
