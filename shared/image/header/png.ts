import { FoveaError } from "../../errors/error.ts";
import { readExifOrientation, readXmpOrientation, startsWithAscii } from "./exif.ts";
import type { ColorModel, ImageHeader, Orientation } from "./image-header.ts";

export const PNG_SIGNATURE = "\x89PNG\r\n\x1a\n";

/** An `iTXt` chunk with an XMP packet, not compressed. */
const XMP_TEXT = "iTXtXML:com.adobe.xmp\0\0";

/** Colour type -> model, whether it has an alpha channel, and the sample depths that the specification allows. */
const COLOR_TYPES: Readonly<Record<number, { color: ColorModel; alpha: boolean; depths: readonly number[] }>> = {
  0: { color: "grey", alpha: false, depths: [1, 2, 4, 8, 16] },
  2: { color: "rgb", alpha: false, depths: [8, 16] },
  3: { color: "palette", alpha: false, depths: [1, 2, 4, 8] },
  4: { color: "grey", alpha: true, depths: [8, 16] },
  6: { color: "rgb", alpha: true, depths: [8, 16] },
};

/**
 * Walks the chunks of a PNG (or APNG) file: IHDR, tRNS, acTL, eXIf. A chunk that reaches beyond the file, no IDAT or
 * no IEND is a truncated file.
 *
 * Source: PNG specification, third edition, 5.3 and 11.2.1.
 */
export function readPngHeader(bytes: Uint8Array, view: DataView): ImageHeader {
  if (view.getUint32(8) !== 13 || !startsWithAscii(bytes, "IHDR", 12)) {
    throw new FoveaError("invalid_image", "The PNG file does not begin with its header (IHDR).");
  }
  const depth = view.getUint8(24);
  const type = COLOR_TYPES[view.getUint8(25)];
  if (!type?.depths.includes(depth)) {
    throw new FoveaError("invalid_image", "The PNG file has a colour type or bit depth that does not exist.");
  }
  if (view.getUint8(26) !== 0 || view.getUint8(27) !== 0 || view.getUint8(28) > 1) {
    throw new FoveaError("invalid_image", "The PNG file has an unknown compression, filter or interlace method.");
  }

  let alpha = type.alpha;
  let frames = 1;
  let exif: Orientation | undefined;
  let xmp: Orientation | undefined;
  let data = false;
  let palette = false;
  for (let at = 8; ;) {
    const length = view.getUint32(at);
    const end = at + 12 + length;
    if (end > bytes.length) throw new RangeError("chunk");
    if (startsWithAscii(bytes, "IEND", at + 4)) break;
    if (at > 8 && startsWithAscii(bytes, "IHDR", at + 4)) {
      throw new FoveaError("invalid_image", "The PNG file has two headers (IHDR).");
    }
    if (startsWithAscii(bytes, "IDAT", at + 4)) data = true;
    else if (startsWithAscii(bytes, "PLTE", at + 4)) palette = true;
    else if (startsWithAscii(bytes, "tRNS", at + 4)) alpha = true;
    else if (startsWithAscii(bytes, "acTL", at + 4)) frames = Math.max(1, view.getUint32(at + 8));
    else if (startsWithAscii(bytes, "eXIf", at + 4)) {
      exif = readExifOrientation(bytes.subarray(at + 8, at + 8 + length));
    } else if (startsWithAscii(bytes, XMP_TEXT, at + 4)) {
      xmp = readXmpOrientation(bytes.subarray(at + 8, at + 8 + length));
    }
    at = end;
  }
  if (!data) throw new FoveaError("invalid_image", "The PNG file has no pixels (IDAT).");
  if (type.color === "palette" && !palette) {
    throw new FoveaError("invalid_image", "The PNG file has no palette (PLTE).");
  }
  return {
    format: "png",
    width: view.getUint32(16),
    height: view.getUint32(20),
    depth,
    color: type.color,
    alpha,
    frames,
    orientation: exif ?? xmp ?? 1,
  };
}
