import { FoveaError } from "../../errors/error.ts";
import { MAX_IMAGE_FRAMES } from "../../limits/image.ts";
import type { ImageHeader } from "./image-header.ts";

const EXTENSION = 0x21;
const IMAGE = 0x2c;
const TRAILER = 0x3b;
const GRAPHIC_CONTROL = 0xf9;

/**
 * Walks the blocks of a GIF file. The walk stops at the limit of frames, so that an endless animation costs no more.
 *
 * Source: GIF89a, 17 to 27.
 */
export function readGifHeader(bytes: Uint8Array, view: DataView): ImageHeader {
  let width = view.getUint16(6, true);
  let height = view.getUint16(8, true);
  const flags = view.getUint8(10);
  let at = 13 + colorTableBytes(flags);
  let depth = (flags & 7) + 1;
  let frames = 0;
  let alpha = false;
  let damaged = false;
  // Beyond the first frame a missing trailer or a cut block is common and harmless: the rest is never read
  while (frames <= MAX_IMAGE_FRAMES && (frames === 0 || at < bytes.length)) {
    const block = view.getUint8(at);
    if (block === TRAILER) break;
    if (block === EXTENSION) {
      if (frames === 0 && view.getUint8(at + 1) === GRAPHIC_CONTROL) alpha = (view.getUint8(at + 3) & 1) === 1;
      at = skipSubBlocks(bytes, view, at + 2, frames === 0);
    } else if (block === IMAGE && at + 10 < bytes.length) {
      const right = view.getUint16(at + 1, true) + view.getUint16(at + 5, true);
      const bottom = view.getUint16(at + 3, true) + view.getUint16(at + 7, true);
      if (frames === 0) {
        // A first frame beyond the screen grows it, as Pillow has it
        width = Math.max(width, right);
        height = Math.max(height, bottom);
        if ((view.getUint8(at + 9) & 0x80) !== 0) depth = (view.getUint8(at + 9) & 7) + 1;
      }
      frames += 1;
      at = skipSubBlocks(bytes, view, at + 11 + colorTableBytes(view.getUint8(at + 9)), frames === 1);
    } else {
      damaged = true;
      break;
    }
  }
  if (frames === 0) {
    throw new FoveaError("invalid_image", damaged ? "The GIF file is damaged." : "The GIF file has no picture.");
  }
  return { format: "gif", width, height, depth, color: "palette", alpha, frames, orientation: 1 };
}

function colorTableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 << ((flags & 7) + 1);
}

function skipSubBlocks(bytes: Uint8Array, view: DataView, start: number, strict: boolean): number {
  let at = start;
  while (at < bytes.length) {
    const length = view.getUint8(at);
    at += 1 + length;
    if (length === 0) return at;
  }
  if (strict) throw new RangeError("sub-blocks");
  return at;
}
