import { FoveaError } from "../../../../shared/errors/error.ts";
import type { ImageHeader } from "../../../../shared/image/header/image-header.ts";
import type { DecodedPicture } from "../../../../shared/image/picture-decoder.ts";
import { readParts, type PictureHeap } from "./picture-heap.ts";

const BI_RGB = 0;
const BI_BITFIELDS = 3;

/** A colour within a pixel: where it begins, how wide it is. */
interface Field {
  readonly shift: number;
  readonly bits: number;
}

/**
 * Uncompressed BMP: palettes of 1, 4 and 8 bits, 16, 24 and 32 bits, with or without masks.
 *
 * Source: Microsoft, Bitmap Storage (BITMAPINFOHEADER, BITMAPV4HEADER).
 */
export function decodeBmp(pictureHeap: PictureHeap, bytes: Uint8Array, { width, height }: ImageHeader): DecodedPicture {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = view.getUint32(14, true);
  const core = header === 12;
  const bits = view.getUint16(core ? 24 : 28, true);
  const compression = core ? BI_RGB : view.getUint32(30, true);
  if (compression !== BI_RGB && (compression !== BI_BITFIELDS || bits < 16)) {
    throw new FoveaError("unsupported_image", "Compressed BMP files are not supported. Send it as PNG.");
  }
  const paletteAt = 14 + header;
  const colors = bits > 8 ? 0 : Math.min(256, (core ? 0 : view.getUint32(46, true)) || 1 << bits);
  const declared = view.getUint32(10, true);
  // Some writers forget the palette in the offset of the pixels
  const start = declared === paletteAt ? declared + colors * (core ? 3 : 4) : declared;
  const stride = Math.trunc((width * bits + 31) / 32) * 4;
  if (start + stride * height > bytes.length) throw new FoveaError("invalid_image", "The BMP file is truncated.");
  const fromTop = !core && view.getInt32(22, true) < 0;
  const rowAt = (y: number): number => start + stride * (fromTop ? y : height - 1 - y);

  const palette = bits <= 8 ? readPalette(bytes, paletteAt, colors, core ? 3 : 4) : undefined;
  const fields = bits === 16 || bits === 32 ? readFields(view, header, bits, compression) : undefined;
  const channels = fields?.length === 4 ? 4 : 3;
  const size = width * height * channels;
  const data = pictureHeap.use("BMP", readParts([]), (heap) => heap.view(heap.codecs.allocate(size), size));
  for (let y = 0, to = 0; y < height; y += 1) {
    const row = rowAt(y);
    for (let x = 0; x < width; x += 1, to += channels) {
      if (palette !== undefined) {
        const byte = bytes[row + ((x * bits) >> 3)] ?? 0;
        const index = (byte >> (8 - bits - ((x * bits) & 7))) & ((1 << bits) - 1);
        for (let c = 0; c < 3; c += 1) data[to + c] = palette[index * 3 + c] ?? 0;
      } else if (fields === undefined) {
        for (let c = 0; c < 3; c += 1) data[to + c] = bytes[row + x * 3 + 2 - c] ?? 0;
      } else {
        const pixel = bits === 16 ? view.getUint16(row + x * 2, true) : view.getUint32(row + x * 4, true);
        for (let c = 0; c < channels; c += 1) data[to + c] = sample(pixel, fields[c]);
      }
    }
  }
  return { data, width, height, channels, upright: false };
}

/** Blue, green, red (and a spare byte) -> `[256, 3]` RGB; colours that are missing are black. */
function readPalette(bytes: Uint8Array, at: number, colors: number, step: number): Uint8Array {
  const palette = new Uint8Array(768);
  for (let i = 0; i < colors; i += 1) {
    for (let c = 0; c < 3; c += 1) palette[i * 3 + c] = bytes[at + i * step + 2 - c] ?? 0;
  }
  return palette;
}

/** Where red, green, blue and, if the header has a mask for it, alpha lie in a pixel. */
function readFields(view: DataView, header: number, bits: number, compression: number): readonly Field[] {
  // Masks stand behind a header of 40 bytes, and within a longer one: the same place
  const masks =
    compression === BI_BITFIELDS
      ? [view.getUint32(54, true), view.getUint32(58, true), view.getUint32(62, true)]
      : bits === 16
        ? [0x7c00, 0x03e0, 0x001f]
        : [0xff0000, 0x00ff00, 0x0000ff];
  // A mask of alpha is part of the header from version 3 (56 bytes) on
  if (compression === BI_BITFIELDS && header >= 56 && view.getUint32(66, true) !== 0)
    masks.push(view.getUint32(66, true));
  if (header < 40) throw new FoveaError("invalid_image", "The BMP file has a damaged header.");
  return masks.map((mask) => {
    const shift = 31 - Math.clz32(mask & -mask);
    const width = 32 - Math.clz32(mask) - shift;
    if (mask === 0 || width > 8 || mask >>> shift !== (1 << width) - 1) {
      throw new FoveaError("unsupported_image", "The BMP file has colour masks that are not supported.");
    }
    return { shift, bits: width };
  });
}

/** A field of less than 8 bits fills the range: 31 of 31 is 255. */
function sample(pixel: number, field: Field | undefined): number {
  if (field === undefined) return 0;
  const most = (1 << field.bits) - 1;
  return Math.trunc((((pixel >>> field.shift) & most) * 255) / most);
}
