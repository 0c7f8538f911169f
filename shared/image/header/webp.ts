import { FoveaError } from "../../errors/error.ts";
import { MAX_HEAVY_IMAGE_PIXELS } from "../../limits/image.ts";
import { readExifOrientation, readXmpOrientation, startsWithAscii } from "./exif.ts";
import type { ImageHeader, Orientation } from "./image-header.ts";

const VP8X_ANIMATION = 0x02;
const VP8X_ALPHA = 0x10;

/**
 * Walks the RIFF chunks of a WebP file: `VP8X` (canvas, flags; the first chunk or none), `VP8 ` (lossy), `VP8L` (lossless), `ANMF`, `EXIF`.
 *
 * Source: RFC 9649, sections 2 and 3; RFC 6386, 9.1.
 */
export function readWebpHeader(bytes: Uint8Array, view: DataView): ImageHeader {
  const end = 8 + view.getUint32(4, true);
  if (end > bytes.length) throw new RangeError("RIFF");
  let width = 0;
  let height = 0;
  let alpha = false;
  let animated = false;
  let canvas = false;
  let pixels = false;
  let lossless = false;
  let frames = 0;
  let exif: Orientation | undefined;
  let xmp: Orientation | undefined;
  for (let at = 12; at + 8 <= end;) {
    const length = view.getUint32(at + 4, true);
    const body = at + 8;
    if (body + length > end) throw new RangeError("chunk");
    if (startsWithAscii(bytes, "VP8X", at)) {
      // A second canvas would let one size pass the checks and another be decoded
      if (at !== 12) throw new FoveaError("invalid_image", "The WebP file states its canvas twice or too late.");
      const flags = view.getUint8(body);
      canvas = true;
      animated = (flags & VP8X_ANIMATION) !== 0;
      alpha = (flags & VP8X_ALPHA) !== 0;
      width = 1 + u24(view, body + 4);
      height = 1 + u24(view, body + 7);
    } else if (startsWithAscii(bytes, "VP8 ", at) && !pixels) {
      pixels = true;
      if (!startsWithAscii(bytes, "\x9d\x01\x2a", body + 3)) {
        throw new FoveaError("invalid_image", "The WebP file has a damaged VP8 header.");
      }
      const size = { width: view.getUint16(body + 6, true) & 0x3fff, height: view.getUint16(body + 8, true) & 0x3fff };
      ({ width, height } = canvas ? sameSize({ width, height }, size) : size);
    } else if (startsWithAscii(bytes, "VP8L", at) && !pixels) {
      pixels = true;
      lossless = true;
      if (view.getUint8(body) !== 0x2f)
        throw new FoveaError("invalid_image", "The WebP file has a damaged VP8L header.");
      const bits = view.getUint32(body + 1, true);
      const size = { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
      alpha ||= ((bits >>> 28) & 1) === 1;
      ({ width, height } = canvas ? sameSize({ width, height }, size) : size);
    } else if (startsWithAscii(bytes, "ANMF", at)) {
      if (!animated) throw new FoveaError("invalid_image", "The WebP file has frames and is no animation.");
      frames += 1;
      checkFrame(view, body, length, width, height);
    } else if (startsWithAscii(bytes, "EXIF", at)) {
      exif = readExifOrientation(bytes.subarray(body, body + length));
    } else if (startsWithAscii(bytes, "XMP ", at)) {
      xmp = readXmpOrientation(bytes.subarray(body, body + length));
    }
    at = body + length + (length & 1);
  }
  if ((lossless || alpha || animated) && width * height > MAX_HEAVY_IMAGE_PIXELS) {
    throw new FoveaError("image_too_large", "The picture is too large for this kind of WebP. Send lossy WebP or JPEG.");
  }
  if (animated ? frames === 0 : !pixels) throw new FoveaError("invalid_image", "The WebP file has no pixels.");
  return {
    format: "webp",
    width,
    height,
    depth: 8,
    color: "rgb",
    alpha,
    frames: Math.max(1, frames),
    orientation: exif ?? xmp ?? 1,
  };
}

function u24(view: DataView, at: number): number {
  return view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** A still picture fills its canvas: else the small one would pass the limits and the large one be decoded. */
function sameSize(canvas: Size, pixels: Size): Size {
  if (canvas.width !== pixels.width || canvas.height !== pixels.height) {
    throw new FoveaError("invalid_image", "The WebP file's picture and canvas differ in size.");
  }
  return canvas;
}

/** A frame of an animation lies within the canvas. */
function checkFrame(view: DataView, at: number, length: number, width: number, height: number): void {
  if (length < 16) throw new RangeError("ANMF");
  const right = 2 * u24(view, at) + 1 + u24(view, at + 6);
  const bottom = 2 * u24(view, at + 3) + 1 + u24(view, at + 9);
  if (right > width || bottom > height) {
    throw new FoveaError("invalid_image", "The WebP file has a frame outside its canvas.");
  }
}
