import { FoveaError } from "../../errors/error.ts";
import { MAX_JPEG_COEFFICIENT_BYTES, MAX_JPEG_SCANS } from "../../limits/image.ts";
import { readExifOrientation, readXmpOrientation, startsWithAscii } from "./exif.ts";
import type { ColorModel, ImageHeader, Orientation } from "./image-header.ts";

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const APP1 = 0xe1;
const TEM = 0x01;
const XMP_NAMESPACE = "http://ns.adobe.com/xap/1.0/\0";

const PROGRESSIVE = 0xc2;

interface Frame {
  readonly marker: number;
  readonly depth: number;
  readonly height: number;
  readonly width: number;
  readonly parts: number;
  /** Samples of all parts, for one pixel: 3 for 4:4:4, 1.5 for 4:2:0. */
  readonly samples: number;
}

function readFrame(view: DataView, at: number, marker: number, length: number): Frame {
  const parts = view.getUint8(at + 7);
  if (length < 8 + 3 * parts) throw new RangeError("SOF");
  const factors = Array.from({ length: parts }, (_, i) => view.getUint8(at + 9 + 3 * i));
  const most = Math.max(...factors.map((f) => f >> 4)) * Math.max(...factors.map((f) => f & 15));
  const sum = factors.reduce((total, f) => total + (f >> 4) * (f & 15), 0);
  return {
    marker,
    depth: view.getUint8(at + 2),
    height: view.getUint16(at + 3),
    width: view.getUint16(at + 5),
    parts,
    samples: most > 0 ? sum / most : parts,
  };
}

/** Start of frame markers: FFC0 to FFCF without DHT (C4), JPG (C8) and DAC (CC). */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/**
 * Walks the segments of a JPEG file up to its first scan, then makes sure that the file has an end and not too many
 * scans. Only Huffman-coded 8-bit baseline, extended and progressive files pass: what libjpeg decodes.
 *
 * Source: ITU-T T.81, annex B.
 */
export function readJpegHeader(bytes: Uint8Array, view: DataView): ImageHeader {
  let exif: Orientation | undefined;
  let xmp: Orientation | undefined;
  let frame: Frame | undefined;
  for (let at = 2; ;) {
    // Bytes between segments are skipped, as libjpeg skips them
    at = bytes.indexOf(0xff, at);
    if (at === -1) throw new RangeError("marker");
    const marker = view.getUint8(at + 1);
    at += 1;
    if (marker === 0xff) continue;
    at += 1;
    // Stuffed bytes, and markers that stand alone
    if (marker === 0) continue;
    if (marker === TEM || marker === SOI || (marker >= 0xd0 && marker <= 0xd7)) continue;
    if (marker === EOI) throw new FoveaError("invalid_image", "The JPEG file ends before its pixels.");
    const length = view.getUint16(at);
    if (length < 2 || at + length > bytes.length) throw new RangeError("segment");
    if (marker === APP1) {
      const body = bytes.subarray(at + 2, at + length);
      if (startsWithAscii(body, "Exif\0\0")) exif ??= readExifOrientation(body);
      else if (startsWithAscii(body, XMP_NAMESPACE)) xmp ??= readXmpOrientation(body);
    } else if (isFrame(marker)) {
      if (frame !== undefined) throw new FoveaError("invalid_image", "The JPEG file has two frames.");
      frame = readFrame(view, at, marker, length);
    } else if (marker === SOS) {
      if (frame === undefined) throw new FoveaError("invalid_image", "The JPEG file has no frame header.");
      checkScans(bytes, at + length, frame, frame.marker === PROGRESSIVE || view.getUint8(at + 2) < frame.parts);
      break;
    }
    at += length;
  }
  if (frame.marker > PROGRESSIVE || frame.depth !== 8) {
    throw new FoveaError(
      "unsupported_image",
      "Lossless, arithmetic-coded and 12-bit JPEG files are not supported. Send it as baseline JPEG or PNG.",
    );
  }
  const color = COLORS[frame.parts];
  if (color === undefined)
    throw new FoveaError("unsupported_image", "JPEG files with two colour parts are not supported.");
  return {
    format: "jpeg",
    width: frame.width,
    height: frame.height,
    depth: 8,
    color,
    alpha: false,
    frames: 1,
    orientation: exif ?? xmp ?? 1,
  };
}

const COLORS: Readonly<Record<number, ColorModel>> = { 1: "grey", 3: "rgb", 4: "cmyk" };

/** The entropy-coded part: no marker but EOI ends it, and every SOS in it is one more pass over the picture. */
function checkScans(bytes: Uint8Array, start: number, frame: Frame, several: boolean): void {
  const end = bytes.lastIndexOf(EOI);
  let last = end;
  while (last > start && bytes[last - 1] !== 0xff) last = bytes.lastIndexOf(EOI, last - 1);
  if (last <= start) throw new FoveaError("invalid_image", "The JPEG file is truncated.");
  if (!several) return;
  if (2 * frame.samples * frame.width * frame.height > MAX_JPEG_COEFFICIENT_BYTES) {
    throw new FoveaError("image_too_large", "The picture is too large for a progressive JPEG. Send a baseline JPEG.");
  }
  let scans = 1;
  for (let at = bytes.indexOf(0xff, start); at !== -1 && at < last; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === SOS) scans += 1;
    if (scans > MAX_JPEG_SCANS) {
      throw new FoveaError(
        "image_too_large",
        `The JPEG file has more than ${MAX_JPEG_SCANS} scans. Send a baseline JPEG.`,
      );
    }
  }
}
