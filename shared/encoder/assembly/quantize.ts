import { round4 } from "./activation";
import { byteRows } from "./tile";

/** Rows of floats to the packed left operands of tile.ts, each row with a scale of its own: q = nearest(x / scale). */

/** The largest lane. */
export function largest(v: v128): f32 {
  const a = max<f32>(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1));
  const b = max<f32>(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3));
  return max<f32>(a, b);
}

/** The sum of the lanes, always in this order. */
export function total(v: v128): f32 {
  const a = f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1);
  const b = f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3);
  return a + b;
}

/** The sum of the lanes of integers. */
// @ts-ignore: decorator
@inline
export function wholeTotal(v: v128): i32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}

/** Largest |x| of `count` floats, a multiple of 4. */
export function magnitude(from: usize, count: i32): f32 {
  // Two running maxima, because each waits for the one before it.
  let even = f32x4.splat(0), odd = even;
  const end = from + ((<usize>count) << 2);
  while (from + 16 < end) {
    even = f32x4.pmax(even, f32x4.abs(v128.load(from)));
    odd = f32x4.pmax(odd, f32x4.abs(v128.load(from, 16)));
    from += 32;
  }
  if (from < end) even = f32x4.pmax(even, f32x4.abs(v128.load(from)));
  return largest(f32x4.pmax(even, odd));
}

/** x / scale to the nearest integer. An infinite quotient is far outside and saturates when it is narrowed. */
// @ts-ignore: decorator
@inline
export function nearest4(x: v128, inverse: v128): v128 {
  return round4(f32x4.mul(x, inverse));
}

/**
 * One row: `columns` floats (a multiple of 4) to i8, each four `step` bytes behind the last (4 a row of the tile). Returns the scale;
 * writes -64 x the row's sum to `correction`: the right operand holds weight + 64, so that it is never negative, and the
 * correction takes the 64 out again.
 */
export function quantizeRow8(to: usize, step: usize, correction: usize, from: usize, columns: i32): f32 {
  const most = magnitude(from, columns);
  const inverse = f32x4.splat(most > 0 ? <f32>127 / most : 0);
  let sum = i32x4.splat(0);
  const end = from + ((<usize>columns) << 2);
  for (; from < end; from += 16) {
    const q = nearest4(v128.load(from), inverse);
    sum = i32x4.add(sum, q);
    const words = i16x8.narrow_i32x4_s(q, q);
    v128.store_lane<i32>(to, i8x16.narrow_i16x8_s(words, words), 0);
    to += step;
  }
  store<i32>(correction, wholeTotal(sum) * -64);
  return most / 127;
}

/** f32 [rows, columns] -> i8 (u = 4), scales f32 and corrections i32 [rows padded to whole tiles]. */
export function quantize8(out: usize, scales: usize, corrections: usize, from: usize, rows: i32, columns: i32): void {
  const tileRows = byteRows();
  const step = (<usize>tileRows) << 2;
  const tileBytes = columns * tileRows;
  for (let row = 0; row < rows; row++) {
    const to = out + <usize>(row / tileRows * tileBytes + (row % tileRows << 2));
    const at = (<usize>row) << 2;
    store<f32>(scales + at, quantizeRow8(to, step, corrections + at, from + at * (<usize>columns), columns));
  }
  // Rows past the end multiply into nothing that is read, but each run must be like the first.
  for (let row = rows; row % tileRows != 0; row++) {
    let to = out + <usize>(row / tileRows * tileBytes + (row % tileRows << 2));
    for (let column = 0; column < columns; column += 4) {
      store<i32>(to, 0);
      to += step;
    }
    store<f32>(scales + ((<usize>row) << 2), 0);
    store<i32>(corrections + ((<usize>row) << 2), 0);
  }
}

/** One row: `columns` floats (a multiple of 4) to i16 pairs, 16 bytes apart. Returns the scale. */
export function quantizeRow16(to: usize, from: usize, columns: i32, limit: f32): f32 {
  const most = magnitude(from, columns);
  const inverse = f32x4.splat(most > 0 ? limit / most : 0);
  for (let column = 0; column < columns; column += 4) {
    const q = nearest4(v128.load(from), inverse);
    const words = i16x8.narrow_i32x4_s(q, q);
    v128.store_lane<i32>(to, words, 0);
    v128.store_lane<i32>(to, words, 1, 16);
    from += 16;
    to += 32;
  }
  return most / limit;
}

/** f32 [rows, columns] -> i16 (u = 2) within +-limit, scales f32 [rows padded to 4]. */
export function quantize16(out: usize, scales: usize, from: usize, rows: i32, columns: i32, limit: i32): void {
  const padded = (rows + 3) & ~3;
  const bytes = (<usize>columns) << 2;
  for (let row = 0; row < padded; row++) {
    const to = out + <usize>(row >> 2) * (bytes << 1) + (<usize>(row & 3) << 2);
    let scale: f32 = 0;
    if (row < rows) {
      scale = quantizeRow16(to, from + <usize>row * bytes, columns, <f32>limit);
    } else {
      for (let pair: usize = 0; pair < bytes << 1; pair += 16) store<i32>(to + pair, 0);
    }
    store<f32>(scales + (<usize>row << 2), scale);
  }
}

/** f32 [rows, columns] -> f32 (u = 1): only packed. */
export function pack32(out: usize, from: usize, rows: i32, columns: i32): void {
  const padded = (rows + 3) & ~3;
  const bytes = (<usize>columns) << 2;
  for (let row = 0; row < padded; row++) {
    const to = out + <usize>(row >> 2) * (bytes << 2) + (<usize>(row & 3) << 2);
    const at = from + <usize>row * bytes;
    for (let column: usize = 0; column < <usize>columns; column++) {
      store<f32>(to + (column << 4), row < rows ? load<f32>(at + (column << 2)) : 0);
    }
  }
}
