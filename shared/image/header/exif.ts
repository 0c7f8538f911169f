import { isOrientation, type Orientation } from "./image-header.ts";

const ORIENTATION_TAG = 0x0112;
const SHORT = 3;

/**
 * The orientation in an EXIF block (a TIFF file: byte order, 42, offset of IFD0). 1 when there is none or when the
 * block is damaged: a broken comment is no reason to refuse a picture.
 *
 * Source: EXIF 2.32, 4.6.4; TIFF 6.0, section 2.
 */
export function readExifOrientation(bytes: Uint8Array): Orientation {
  let tiff = bytes;
  if (startsWithAscii(tiff, "Exif\0\0")) tiff = tiff.subarray(6);
  if (tiff.length < 8) return 1;
  const littleEndian = tiff[0] === 0x49;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const ifd = view.getUint32(4, littleEndian);
  if (ifd + 2 > tiff.length) return 1;
  const entries = view.getUint16(ifd, littleEndian);
  for (let at = ifd + 2, n = 0; n < entries && at + 12 <= tiff.length; n += 1, at += 12) {
    if (view.getUint16(at, littleEndian) !== ORIENTATION_TAG) continue;
    if (view.getUint16(at + 2, littleEndian) !== SHORT) return 1;
    const value = view.getUint16(at + 8, littleEndian);
    return isOrientation(value) ? value : 1;
  }
  return 1;
}

export function startsWithAscii(bytes: Uint8Array, text: string, at = 0): boolean {
  if (bytes.length < at + text.length) return false;
  for (let i = 0; i < text.length; i += 1) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
