import type { RgbImage } from "../rgb-image.ts";
import { computeCoefficients, PRECISION_BITS, type Coefficients } from "./coefficients.ts";
import { FILTERS, Resampling, type Filter } from "./filters.ts";

/** Left, top, right, bottom in pixels of the source, fractions allowed. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];

export interface ResizeOptions {
  readonly width: number;
  readonly height: number;
  readonly resample: Resampling;
  /** The part of the source to take. The whole picture if absent. */
  readonly box?: Box;
}

/** Takes a row of the result, `[width, 3]` u8; the row is overwritten after the call. Rows come from top to bottom. */
export type WriteRow = (row: Uint8Array, y: number) => void;

/** A resize that hands over rows. This file has one in TypeScript, wasm-resize.ts one with SIMD: the same bits. */
export type ResizeRows = (image: RgbImage, options: ResizeOptions, write: WriteRow) => void;

/**
 * Resizes as Pillow 13's `Image.resize` does, bit for bit: one pass for each axis, rounded to 8 bits in between.
 *
 * Source: Pillow, src/libImaging/Resample.c and Geometry.c (nearest).
 *
 * @returns `[height, width, 3]` u8; the source itself if nothing changes
 */
export function resize(image: RgbImage, options: ResizeOptions, rows: ResizeRows = resizeRows): RgbImage {
  const { width, height } = options;
  if (!passes(image, options).some(Boolean)) return image;
  const data = new Uint8Array(width * height * 3);
  rows(image, options, (row, y) => data.set(row, y * width * 3));
  return { data, width, height };
}

/** Whether the horizontal and the vertical pass change anything. */
function passes(image: RgbImage, options: ResizeOptions): readonly [horizontal: boolean, vertical: boolean] {
  const { width, height } = options;
  const box = checkBox(image, options);
  return [
    width !== image.width || box[0] !== 0 || box[2] !== width,
    height !== image.height || box[1] !== 0 || box[3] !== height,
  ];
}

/** What each pass does; absent where it changes nothing. */
export interface ResizePlan {
  readonly columns: Coefficients | undefined;
  readonly rows: Coefficients | undefined;
  readonly verticalFirst: boolean;
}

export function planResize(image: RgbImage, options: ResizeOptions, filter: Filter): ResizePlan {
  const box = checkBox(image, options);
  const [horizontal, vertical] = passes(image, options);
  return {
    columns: horizontal ? computeCoefficients(image.width, box[0], box[2], options.width, filter) : undefined,
    rows: vertical ? computeCoefficients(image.height, box[1], box[3], options.height, filter) : undefined,
    verticalFirst: verticalFirst(image, options),
  };
}

/** The resize in TypeScript. An output row is made from the few rows it needs; no pass holds its whole result. */
export const resizeRows: ResizeRows = (image, options, write) => {
  const { width, height, resample } = options;
  if (resample === Resampling.NEAREST) {
    resizeNearest(image, options, write);
    return;
  }
  const plan = planResize(image, options, FILTERS[resample]);
  const { columns, rows } = plan;
  const row = new Uint8Array(width * 3);
  if (columns === undefined) {
    for (let y = 0; y < height; y += 1) {
      if (rows === undefined) row.set(rowOf(image, y));
      else mixRows(image.data, image.height, rows, y, row);
      write(row, y);
    }
  } else if (rows === undefined) {
    for (let y = 0; y < height; y += 1) {
      narrowRow(rowOf(image, y), columns, row);
      write(row, y);
    }
  } else if (plan.verticalFirst) {
    const wide = new Uint8Array(image.width * 3);
    for (let y = 0; y < height; y += 1) {
      mixRows(image.data, image.height, rows, y, wide);
      narrowRow(wide, columns, row);
      write(row, y);
    }
  } else narrowThenMix(image, columns, rows, row, write);
};

/**
 * Pillow 13 begins with the vertical pass when the height shrinks by more than twice what the width shrinks by (of the
 * whole picture, not of the box). Rounding between the passes makes the order show.
 */
function verticalFirst(from: { width: number; height: number }, to: { width: number; height: number }): boolean {
  return from.height - to.height > 2 * Math.max(0, from.width - to.width);
}

function rowOf({ data, width }: RgbImage, y: number): Uint8Array {
  return data.subarray(y * width * 3, (y + 1) * width * 3);
}

/** Source row y, narrowed, lies in slot y % taps of a ring until the window of output rows has passed it. */
function narrowThenMix(
  image: RgbImage,
  columns: Coefficients,
  rows: Coefficients,
  row: Uint8Array,
  write: WriteRow,
): void {
  const width = row.length / 3;
  const ring = { data: new Uint8Array(rows.taps * row.length), width, height: rows.taps };
  let next = rows.first[0] ?? 0;
  for (let y = 0; y < rows.first.length; y += 1) {
    const end = (rows.first[y] ?? 0) + (rows.count[y] ?? 0);
    for (; next < end; next += 1) narrowRow(rowOf(image, next), columns, rowOf(ring, next % rows.taps));
    mixRows(ring.data, rows.taps, rows, y, row);
    write(row, y);
  }
}

function checkBox({ width, height }: RgbImage, options: ResizeOptions): Box {
  const box = options.box ?? [0, 0, width, height];
  const sizes = [options.width, options.height];
  if (sizes.some((side) => !Number.isInteger(side) || side < 1)) throw new RangeError("resize to less than a pixel");
  if (!(box[0] >= 0 && box[1] >= 0 && box[2] <= width && box[3] <= height && box[2] > box[0] && box[3] > box[1])) {
    throw new RangeError("box outside the picture");
  }
  return box;
}

const HALF = 1 << (PRECISION_BITS - 1);

/** Fixed point -> 8 bits. */
function clip8(sum: number): number {
  const value = sum >> PRECISION_BITS;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** One row `[inWidth, 3]` -> `[outWidth, 3]`. */
function narrowRow(row: Uint8Array, columns: Coefficients, into: Uint8Array): void {
  const { first, count, weights, taps } = columns;
  for (let x = 0, to = 0; to < into.length; x += 1, to += 3) {
    let r = HALF;
    let g = HALF;
    let b = HALF;
    let at = (first[x] ?? 0) * 3;
    const start = x * taps;
    const end = start + (count[x] ?? 0);
    for (let k = start; k < end; k += 1, at += 3) {
      const weight = weights[k] ?? 0;
      r += (row[at] ?? 0) * weight;
      g += (row[at + 1] ?? 0) * weight;
      b += (row[at + 2] ?? 0) * weight;
    }
    into[to] = clip8(r);
    into[to + 1] = clip8(g);
    into[to + 2] = clip8(b);
  }
}

/** The rows that output row y takes, out of a ring of `slots` rows -> one row. */
function mixRows(
  ring: Uint8Array,
  slots: number,
  { first, count, weights, taps }: Coefficients,
  y: number,
  into: Uint8Array,
): void {
  const stride = into.length;
  const from = first[y] ?? 0;
  const rows = count[y] ?? 0;
  for (let x = 0; x < stride; x += 1) {
    let sum = HALF;
    for (let k = 0; k < rows; k += 1) {
      sum += (ring[((from + k) % slots) * stride + x] ?? 0) * (weights[y * taps + k] ?? 0);
    }
    into[x] = clip8(sum);
  }
}

/** Pillow walks by adding the scale step by step, so the sums must be made the same way to round the same way. */
function nearestSources(from: number, to: number, out: number, size: number): Int32Array {
  const step = (to - from) / out;
  const sources = new Int32Array(out);
  let at = from + step * 0.5;
  for (let i = 0; i < out; i += 1, at += step) sources[i] = Math.min(size - 1, Math.trunc(at));
  return sources;
}

function resizeNearest(image: RgbImage, options: ResizeOptions, write: WriteRow): void {
  const box = checkBox(image, options);
  const columns = nearestSources(box[0], box[2], options.width, image.width);
  const rows = nearestSources(box[1], box[3], options.height, image.height);
  const row = new Uint8Array(options.width * 3);
  for (const [y, sourceY] of rows.entries()) {
    let to = 0;
    for (const x of columns) {
      const from = (sourceY * image.width + x) * 3;
      row[to] = image.data[from] ?? 0;
      row[to + 1] = image.data[from + 1] ?? 0;
      row[to + 2] = image.data[from + 2] ?? 0;
      to += 3;
    }
    write(row, y);
  }
}
