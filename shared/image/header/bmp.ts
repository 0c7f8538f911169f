import { FoveaError } from "../../errors/error.ts";
import type { ImageHeader } from "./image-header.ts";

/**
 * The headers of a BMP file: BITMAPCOREHEADER (12 bytes) or BITMAPINFOHEADER (40) and its successors. A negative
 * height says that rows run from the top.
 *
 * Source: Microsoft, Bitmap Storage.
 */
export function readBmpHeader(_bytes: Uint8Array, view: DataView): ImageHeader {
  const size = view.getUint32(14, true);
  if (size !== 12 && (size < 40 || size > 124)) {
    throw new FoveaError("unsupported_image", "This kind of BMP header is not supported.");
  }
  const width = size === 12 ? view.getUint16(18, true) : view.getInt32(18, true);
  const height = size === 12 ? view.getUint16(20, true) : Math.abs(view.getInt32(22, true));
  const bits = view.getUint16(size === 12 ? 24 : 28, true);
  if (![1, 4, 8, 16, 24, 32].includes(bits)) {
    throw new FoveaError("invalid_image", "The BMP file has a bit depth that does not exist.");
  }
  return {
    format: "bmp",
    width,
    height,
    depth: bits <= 8 ? bits : 8,
    color: bits <= 8 ? "palette" : "rgb",
    alpha: false,
    frames: 1,
    orientation: 1,
  };
}
