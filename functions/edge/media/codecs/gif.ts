import { FoveaError } from "../../../../shared/errors/error.ts";
import type { ImageHeader } from "../../../../shared/image/header/image-header.ts";
import type { DecodedPicture } from "../../../../shared/image/picture-decoder.ts";
import { readParts, type PictureHeap } from "./picture-heap.ts";

const MAX_CODES = 4096;

/**
 * The first frame of a GIF, on its screen: what the frame leaves free is the transparent colour, or colour 0.
 *
 * Source: GIF89a, 18 to 23 and appendix F (LZW).
 */
export function decodeGif(pictureHeap: PictureHeap, bytes: Uint8Array, { width, height }: ImageHeader): DecodedPicture {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const screen = view.getUint8(10);
  let at = 13;
  let palette = greyRamp();
  if ((screen & 0x80) !== 0) at = readPalette(bytes, at, screen, palette);
  let transparent = -1;
  for (; view.getUint8(at) !== 0x2c; at = skipBlocks(view, at + 2)) {
    // Graphic control extension
    if (view.getUint8(at + 1) === 0xf9 && (view.getUint8(at + 3) & 1) === 1) transparent = view.getUint8(at + 6);
  }
  const frame = {
    left: view.getUint16(at + 1, true),
    top: view.getUint16(at + 3, true),
    width: view.getUint16(at + 5, true),
    height: view.getUint16(at + 7, true),
  };
  const flags = view.getUint8(at + 9);
  at += 10;
  if ((flags & 0x80) !== 0) {
    palette = greyRamp();
    at = readPalette(bytes, at, flags, palette);
  }
  const channels = transparent < 0 ? 3 : 4;
  const [framePixels, pixels] = [frame.width * frame.height, width * height];
  const interlaced = (flags & 0x40) !== 0;
  const whole = !interlaced && frame.width === width && frame.height === height;
  return pictureHeap.use("GIF", readParts([]), (heap) => {
    const room = framePixels + (whole ? 0 : pixels) + pixels * channels;
    const buffer = heap.view(heap.codecs.allocate(room), room);
    const indices = buffer.subarray(0, framePixels);
    inflateLzw(bytes, at, indices);
    let screenPixels = indices;
    if (!whole) {
      screenPixels = buffer.subarray(framePixels, framePixels + pixels).fill(Math.max(0, transparent));
      const rows = interlaced ? interlacedRows(frame.height) : undefined;
      for (let row = 0; row < frame.height; row += 1) {
        const y = frame.top + (rows?.[row] ?? row);
        screenPixels.set(indices.subarray(row * frame.width, (row + 1) * frame.width), y * width + frame.left);
      }
    }
    const data = buffer.subarray(room - pixels * channels);
    paint(screenPixels, palette, transparent, data);
    return { data, width, height, channels, upright: false };
  });
}

/** Colours that a palette leaves out are greys, as Pillow has it. */
function greyRamp(): Uint8Array {
  return Uint8Array.from({ length: 768 }, (_, i) => Math.trunc(i / 3));
}

function readPalette(bytes: Uint8Array, at: number, flags: number, into: Uint8Array): number {
  const end = at + (3 << ((flags & 7) + 1));
  into.set(bytes.subarray(at, end));
  return end;
}

function skipBlocks(view: DataView, start: number): number {
  let at = start;
  for (let length = view.getUint8(at); length > 0; length = view.getUint8(at)) at += 1 + length;
  return at + 1;
}

/** Stored row -> row of the picture: every 8th from 0, every 8th from 4, every 4th from 2, every 2nd from 1. */
function interlacedRows(height: number): number[] {
  const passes: readonly (readonly [number, number])[] = [
    [0, 8],
    [4, 8],
    [2, 4],
    [1, 2],
  ];
  const rows: number[] = [];
  for (const [first, step] of passes) for (let y = first; y < height; y += step) rows.push(y);
  return rows;
}

/** Fills `indices` with colour indices. @throws FoveaError when the data ends before */
function inflateLzw(bytes: Uint8Array, start: number, indices: Uint8Array): void {
  const pixels = indices.length;
  const damaged = new FoveaError("invalid_image", "The GIF file is truncated or damaged.");
  const minimum = bytes[start] ?? 0;
  if (minimum < 1 || minimum > 11) throw damaged;
  const clear = 1 << minimum;
  const prefix = new Uint16Array(MAX_CODES);
  const suffix = new Uint8Array(MAX_CODES);
  const stack = new Uint8Array(MAX_CODES + 1);
  let [size, next, previous, first] = [minimum + 1, clear + 2, -1, 0];
  let [bits, held, to] = [0, 0, 0];
  let at = start + 1;
  let block = 0;
  while (to < pixels) {
    while (held < size) {
      if (block === 0) {
        block = bytes[at] ?? 0;
        at += 1;
        if (block === 0) throw damaged;
      }
      if (at >= bytes.length) throw damaged;
      bits |= (bytes[at] ?? 0) << held;
      held += 8;
      at += 1;
      block -= 1;
    }
    const code = bits & ((1 << size) - 1);
    bits >>>= size;
    held -= size;
    if (code === clear) {
      [size, next, previous] = [minimum + 1, clear + 2, -1];
      continue;
    }
    if (code === clear + 1 || code > next || (previous === -1 && code >= clear)) throw damaged;
    let depth = 0;
    let entry = code;
    if (code === next) {
      stack[depth] = first;
      depth += 1;
      entry = previous;
    }
    for (; entry >= clear; entry = prefix[entry] ?? 0) {
      stack[depth] = suffix[entry] ?? 0;
      depth += 1;
    }
    first = entry;
    stack[depth] = first;
    for (; depth >= 0 && to < pixels; depth -= 1, to += 1) indices[to] = stack[depth] ?? 0;
    if (previous !== -1 && next < MAX_CODES) {
      prefix[next] = previous;
      suffix[next] = first;
      next += 1;
      if (next === 1 << size && size < 12) size += 1;
    }
    previous = code;
  }
}

/** Colour indices -> RGB, or RGBA where a colour is transparent. */
function paint(indices: Uint8Array, palette: Uint8Array, transparent: number, data: Uint8Array): void {
  const channels = transparent < 0 ? 3 : 4;
  for (let i = 0, to = 0; i < indices.length; i += 1, to += channels) {
    const index = indices[i] ?? 0;
    data[to] = palette[index * 3] ?? 0;
    data[to + 1] = palette[index * 3 + 1] ?? 0;
    data[to + 2] = palette[index * 3 + 2] ?? 0;
    if (channels === 4) data[to + 3] = index === transparent ? 0 : 255;
  }
}
