import { FoveaError } from "../../errors/error.ts";
import { readAvifHeader } from "./avif.ts";
import { readBmpHeader } from "./bmp.ts";
import { startsWithAscii } from "./exif.ts";
import { readGifHeader } from "./gif.ts";
import type { ImageHeader } from "./image-header.ts";
import { readJpegHeader } from "./jpeg.ts";
import { PNG_SIGNATURE, readPngHeader } from "./png.ts";
import { readWebpHeader } from "./webp.ts";

type HeaderReader = (bytes: Uint8Array, view: DataView) => ImageHeader;

/** First bytes -> reader. What a client claims (media type, file name) is never asked. */
const READERS: readonly (readonly [matches: (bytes: Uint8Array) => boolean, read: HeaderReader])[] = [
  [(bytes) => startsWithAscii(bytes, PNG_SIGNATURE), readPngHeader],
  [(bytes) => startsWithAscii(bytes, "\xff\xd8\xff"), readJpegHeader],
  [(bytes) => startsWithAscii(bytes, "RIFF") && startsWithAscii(bytes, "WEBP", 8), readWebpHeader],
  [(bytes) => startsWithAscii(bytes, "GIF87a") || startsWithAscii(bytes, "GIF89a"), readGifHeader],
  [(bytes) => isAvif(bytes), readAvifHeader],
  [(bytes) => startsWithAscii(bytes, "BM"), readBmpHeader],
];

/** Pictures that are known but not read: a clearer answer than "no picture". */
const OTHER_FORMATS: readonly (readonly [magic: string, at: number, name: string])[] = [
  ["II*\0", 0, "TIFF"],
  ["MM\0*", 0, "TIFF"],
  ["ftyphei", 4, "HEIC"],
  ["ftypmif1", 4, "HEIF"],
  ["\0\0\0\x0cJXL ", 0, "JPEG XL"],
  ["\xff\x0a", 0, "JPEG XL"],
  ["\0\0\0\x0cjP  ", 0, "JPEG 2000"],
  ["%PDF", 0, "PDF"],
  ["<svg", 0, "SVG"],
  ["<?xml", 0, "SVG"],
];

/**
 * Reads size, depth, frames and orientation of a picture file without decoding it; allocates no more than the answer.
 *
 * @throws FoveaError `invalid_image` (no picture, damaged, truncated), `unsupported_image` (a format or coding that is
 *   not read), `image_too_large` (too many scans). Sizes are checked by `checkImageLimits`.
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader {
  const reader = READERS.find(([matches]) => matches(bytes))?.[1];
  if (reader === undefined) throw unknownFormat(bytes);
  try {
    return reader(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    // Every read beyond the file's end throws a RangeError
    if (error instanceof RangeError) throw new FoveaError("invalid_image", "The picture file is truncated or damaged.");
    throw error;
  }
}

function isAvif(bytes: Uint8Array): boolean {
  if (!startsWithAscii(bytes, "ftyp", 4)) return false;
  if (startsWithAscii(bytes, "avif", 8) || startsWithAscii(bytes, "avis", 8)) return true;
  // Also when AVIF stands among the compatible brands only
  const end = Math.min(bytes.length, 128, ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0));
  for (let at = 16; at + 4 <= end; at += 4) if (startsWithAscii(bytes, "avif", at)) return true;
  return false;
}

function unknownFormat(bytes: Uint8Array): FoveaError {
  const other = OTHER_FORMATS.find(([magic, at]) => startsWithAscii(bytes, magic, at));
  if (other !== undefined) {
    return new FoveaError("unsupported_image", `${other[2]} files are not supported. Send PNG, JPEG, WebP or GIF.`);
  }
  return new FoveaError("invalid_image", "The file is not a picture. Send PNG, JPEG, WebP or GIF.");
}
