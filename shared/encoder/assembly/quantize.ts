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

/** Largest |x| of `count` floats, a multiple of 4. */
export function magnitude(from: usize, count: i32): f32 {
  let most = f32x4.splat(0);
  const end = from + ((<usize>count) << 2);
  while (from < end) {
    most = f32x4.max(most, f32x4.abs(v128.load(from)));
    from += 16;
  }
  return largest(most);
}

/** x / scale to the nearest integer; an infinite or undefined quotient saturates, so that no bit depends on the engine. */
export function nearest4(x: v128, inverse: f32): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(x, f32x4.splat(inverse))));
}

/**
 * f32 [rows, columns] -> i8 (u = 4), scales f32 [rows padded to 4], corrections i32 [rows padded to 4] = -64 x the row's sum.
 * The right operand holds weight + 64, so that it is never negative; the correction takes the 64 out again.
 */
export function quantize8(out: usize, scales: usize, corrections: usize, from: usize, rows: i32, columns: i32): void {
  const padded = (rows + 3) & ~3;
  for (let row = 0; row < padded; row++) {
    let to = out + <usize>(row >> 2) * ((<usize>columns) << 2) + (<usize>(row & 3) << 2);
    let sum = i32x4.splat(0);
    let scale: f32 = 0;
    if (row < rows) {
      let at = from + <usize>row * ((<usize>columns) << 2);
      const most = magnitude(at, columns);
      scale = most / 127;
      const inverse: f32 = most > 0 ? <f32>127 / most : 0;
      for (let column = 0; column < columns; column += 4) {
        const q = i32x4.max_s(i32x4.min_s(nearest4(v128.load(at), inverse), i32x4.splat(127)), i32x4.splat(-127));
        sum = i32x4.add(sum, q);
        const words = i16x8.narrow_i32x4_s(q, q);
        v128.store_lane<i32>(to, i8x16.narrow_i16x8_s(words, words), 0);
        at += 16;
        to += 16;
      }
    } else {
      for (let column = 0; column < columns; column += 4) {
        store<i32>(to, 0);
        to += 16;
      }
    }
    store<f32>(scales + (<usize>row << 2), scale);
    const sums =
      i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1) + i32x4.extract_lane(sum, 2) + i32x4.extract_lane(sum, 3);
    store<i32>(corrections + (<usize>row << 2), sums * -64);
  }
}

/** One row: `columns` floats (a multiple of 4) to i16 pairs, 16 bytes apart. Returns the scale. */
export function quantizeRow16(to: usize, from: usize, columns: i32, limit: f32): f32 {
  const most = magnitude(from, columns);
  const inverse: f32 = most > 0 ? limit / most : 0;
  const high = i32x4.splat(<i32>limit);
  const low = i32x4.splat(-(<i32>limit));
  for (let column = 0; column < columns; column += 4) {
    const q = i32x4.max_s(i32x4.min_s(nearest4(v128.load(from), inverse), high), low);
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
