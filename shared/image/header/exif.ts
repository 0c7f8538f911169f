import { isOrientation, type Orientation } from "./image-header.ts";

const ORIENTATION_TAG = 0x0112;
const SHORT = 3;

/**
 * The orientation in an EXIF block (a TIFF file: byte order, 42, offset of IFD0). Undefined when there is none or when
 * the block is damaged: a broken comment is no reason to refuse a picture.
 *
 * Source: EXIF 2.32, 4.6.4; TIFF 6.0, section 2.
 */
export function readExifOrientation(bytes: Uint8Array): Orientation | undefined {
  let tiff = bytes;
  if (startsWithAscii(tiff, "Exif\0\0")) tiff = tiff.subarray(6);
  if (tiff.length < 8) return undefined;
  const littleEndian = tiff[0] === 0x49;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const ifd = view.getUint32(4, littleEndian);
  if (ifd + 2 > tiff.length) return undefined;
  const entries = view.getUint16(ifd, littleEndian);
  for (let at = ifd + 2, n = 0; n < entries && at + 12 <= tiff.length; n += 1, at += 12) {
    if (view.getUint16(at, littleEndian) !== ORIENTATION_TAG) continue;
    if (view.getUint16(at + 2, littleEndian) !== SHORT) return undefined;
    const value = view.getUint16(at + 8, littleEndian);
    return isOrientation(value) ? value : undefined;
  }
  return undefined;
}

/**
 * `tiff:Orientation` of an XMP packet, as an attribute or an element; what counts where there is no EXIF.
 *
 * Source: XMP specification, part 2, 3.4 (TIFF namespace); the same rule as Pillow's `Image.getexif`.
 */
export function readXmpOrientation(bytes: Uint8Array): Orientation | undefined {
  const name = "tiff:Orientation";
  for (let at = bytes.indexOf(0x74); at !== -1; at = bytes.indexOf(0x74, at + 1)) {
    if (!startsWithAscii(bytes, name, at)) continue;
    const after = at + name.length;
    const digit = startsWithAscii(bytes, '="', after)
      ? bytes[after + 2]
      : startsWithAscii(bytes, ">", after)
        ? bytes[after + 1]
        : 0;
    const value = (digit ?? 0) - 0x30;
    return isOrientation(value) ? value : undefined;
  }
  return undefined;
}

export function startsWithAscii(bytes: Uint8Array, text: string, at = 0): boolean {
  if (bytes.length < at + text.length) return false;
  for (let i = 0; i < text.length; i += 1) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
