import { FoveaError } from "../../../../shared/errors/error.ts";
import { startsWithAscii } from "../../../../shared/image/header/exif.ts";
import type { ImageHeader } from "../../../../shared/image/header/image-header.ts";
import type { DecodedPicture } from "../../../../shared/image/picture-decoder.ts";
import { readParts, type PictureHeap } from "./picture-heap.ts";
import { turnUpright } from "./turn-upright.ts";

/** WebP -> RGB or RGBA by libwebp. Of an animation the first frame, on a transparent canvas. */
export function decodeWebp(pictureHeap: PictureHeap, bytes: Uint8Array, header: ImageHeader): DecodedPicture {
  const frame = firstFrame(bytes) ?? { parts: [bytes], left: 0, top: 0, width: header.width, height: header.height };
  const animated = frame.parts.length > 1;
  const channels = header.alpha || animated ? 4 : 3;
  const length = frame.parts.reduce((sum, part) => sum + part.length, 0);
  const stride = header.width * channels;
  // libwebp is told the frame's size and writes that much: it must lie in what is allocated, whatever was checked before
  if (frame.left + frame.width > header.width || frame.top + frame.height > header.height) {
    throw new FoveaError("invalid_image", "The WebP file has a frame outside its canvas.");
  }
  return pictureHeap.use("WebP", readParts(frame.parts), (heap) => {
    const out = heap.codecs.allocate(stride * header.height);
    if (animated) heap.view(out, stride * header.height).fill(0);
    const corner = out + frame.top * stride + frame.left * channels;
    if (heap.codecs.decode_webp(length, corner, frame.width, frame.height, channels, stride) !== 1) {
      throw new FoveaError("invalid_image", "The WebP file is damaged.");
    }
    return turnUpright(heap, out, header, channels);
  });
}

interface Frame {
  /** The frame as a file of its own. */
  readonly parts: readonly Uint8Array[];
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The first `ANMF` chunk; undefined for a still picture. What stands behind the file's own end is no part of it. */
function firstFrame(bytes: Uint8Array): Frame | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u24 = (at: number): number => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  const end = Math.min(bytes.length, 8 + view.getUint32(4, true));
  for (let at = 12; at + 8 <= end;) {
    const length = view.getUint32(at + 4, true);
    const body = at + 8;
    if (startsWithAscii(bytes, "ANMF", at)) {
      const [width, height] = [1 + u24(body + 6), 1 + u24(body + 9)];
      const chunks = bytes.subarray(body + 16, body + length);
      const parts = [stillHead(chunks.length, width, height), chunks];
      return { parts, left: 2 * u24(body), top: 2 * u24(body + 3), width, height };
    }
    at = body + length + (length & 1);
  }
  return undefined;
}

/** `RIFF`, `VP8X` with the alpha flag: what stands before a frame's own chunks (`ALPH`, `VP8 ` or `VP8L`). RFC 9649, 2.7. */
function stillHead(chunkBytes: number, width: number, height: number): Uint8Array {
  const head = new Uint8Array(30);
  const view = new DataView(head.buffer);
  const ascii = (text: string, at: number): void => head.set(new TextEncoder().encode(text), at);
  ascii("RIFF", 0);
  view.setUint32(4, head.length - 8 + chunkBytes, true);
  ascii("WEBPVP8X", 8);
  view.setUint32(16, 10, true);
  view.setUint8(20, 0x10);
  view.setUint16(24, (width - 1) & 0xffff, true);
  view.setUint8(26, (width - 1) >> 16);
  view.setUint16(27, (height - 1) & 0xffff, true);
  view.setUint8(29, (height - 1) >> 16);
  return head;
}
