import { startsWithAscii } from "./header/exif.ts";
import type { ImageHeader } from "./header/image-header.ts";

/**
 * The file with its orientation hidden, for decoders that may or may not turn a picture upright by themselves: all then
 * give the stored rows, and orientation is applied once, here. Only what names the orientation changes: the EXIF or XMP
 * segment of JPEG becomes an application segment that nobody reads, a WebP chunk gets an unknown name, PNG chunks go.
 *
 * AVIF stores its turn as a transformation that every decoder must apply: it stays.
 */
export function withoutOrientation(bytes: Uint8Array, { format, orientation }: ImageHeader): Uint8Array {
  if (orientation === 1) return bytes;
  if (format === "jpeg") return hideInJpeg(bytes.slice());
  if (format === "webp") return hideInWebp(bytes.slice());
  if (format === "png") return dropFromPng(bytes);
  return bytes;
}

const APP1 = 0xe1;
/** APP15: no reader knows one. */
const APP15 = 0xef;
const SOS = 0xda;

function hideInJpeg(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer);
  for (let at = bytes.indexOf(0xff, 2); at !== -1 && at + 4 <= bytes.length; at = bytes.indexOf(0xff, at)) {
    const marker = view.getUint8(at + 1);
    if (marker === SOS) break;
    if (marker === APP1) bytes[at + 1] = APP15;
    const alone = marker === 0xff || marker < 0xc0 || (marker >= 0xd0 && marker <= 0xd8);
    at += alone ? 1 : 2 + view.getUint16(at + 2);
  }
  return bytes;
}

function hideInWebp(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer);
  for (let at = 12; at + 8 <= bytes.length;) {
    if (startsWithAscii(bytes, "EXIF", at) || startsWithAscii(bytes, "XMP ", at)) bytes[at] = 0x78;
    const length = view.getUint32(at + 4, true);
    at += 8 + length + (length & 1);
  }
  return bytes;
}

function dropFromPng(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept = new Uint8Array(bytes.length);
  kept.set(bytes.subarray(0, 8));
  let to = 8;
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = at + 12 + view.getUint32(at);
    if (!startsWithAscii(bytes, "eXIf", at + 4) && !startsWithAscii(bytes, "iTXt", at + 4)) {
      kept.set(bytes.subarray(at, end), to);
      to += end - at;
    }
    at = end;
  }
  return kept.subarray(0, to);
}
