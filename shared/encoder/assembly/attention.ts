import { exp4, round4 } from "./activation";
import { largest, magnitude, nearest4, quantizeRow16, total } from "./quantize";
import { tile16x16 } from "./tile";

/** Values are kept within 11 bits, so that probabilities may sum to 2^20 without leaving 32 bits. */
const VALUE_LIMIT: f32 = 2047;
const PROBABILITY_SUM: f32 = 1000000;

/** keys f32 [tk, d], `stride` bytes a row -> right operand i16 [tk/8][d/2][8][2] with a scale a key. */
function packKeys(out: usize, scales: usize, keys: usize, stride: usize, tk: i32, d: i32, limit: f32): void {
  const padded = (tk + 7) & ~7;
  const panel = (<usize>d) << 4;
  for (let t = 0; t < padded; t++) {
    let to = out + <usize>(t >> 3) * panel + (<usize>(t & 7) << 2);
    const from = keys + <usize>min(t, tk - 1) * stride;
    const most = t < tk ? magnitude(from, d) : 0;
    const inverse = f32x4.splat(most > 0 ? limit / most : 0);
    store<f32>(scales + (<usize>t << 2), most / limit);
    for (let column: usize = 0; column < <usize>d; column += 4) {
      const q = nearest4(v128.load(from + (column << 2)), inverse);
      const words = i16x8.narrow_i32x4_s(q, q);
      v128.store_lane<i32>(to, words, 0);
      v128.store_lane<i32>(to, words, 1, 32);
      to += 64;
    }
  }
}

/** values f32 [tk, d] -> right operand i16 [d/8][tk/2][8][2] with a scale a column. */
function packValues(out: usize, scales: usize, values: usize, stride: usize, tk: i32, d: i32): void {
  const pairs = (tk + 1) >> 1;
  const panel = (<usize>pairs) << 5;
  for (let column: usize = 0; column < <usize>d; column += 4) {
    let most = f32x4.splat(0);
    let from = values + (column << 2);
    for (let t = 0; t < tk; t++) {
      most = f32x4.pmax(most, f32x4.abs(v128.load(from)));
      from += stride;
    }
    v128.store(scales + (column << 2), f32x4.div(most, f32x4.splat(VALUE_LIMIT)));
    // A column of zeros divides by zero: the quotient is masked to 0.
    const inverse = v128.and(f32x4.div(f32x4.splat(VALUE_LIMIT), most), f32x4.gt(most, f32x4.splat(0)));
    let to = out + (column >> 3) * panel + ((column & 4) << 2);
    from = values + (column << 2);
    for (let t = 0; t < tk; t += 2) {
      const even = round4(f32x4.mul(v128.load(from), inverse));
      let odd = i32x4.splat(0);
      if (t + 1 < tk) odd = round4(f32x4.mul(v128.load(from + stride), inverse));
      v128.store(to, v128.or(v128.and(even, i32x4.splat(0xffff)), i32x4.shl(odd, 16)));
      from += stride << 1;
      to += 32;
    }
  }
}

/** i32 tile [4, 8] -> f32 rows: x column scale x row scale. */
function scaleTile(tile: usize, rowScales: usize, columnScales: usize, out: usize, stride: usize): void {
  for (let row: usize = 0; row < 4; row++) {
    const scale = v128.load_splat<u32>(rowScales + (row << 2));
    for (let half: usize = 0; half < 32; half += 16) {
      const v = f32x4.mul(f32x4.convert_i32x4_s(v128.load(tile + (row << 5) + half)), v128.load(columnScales + half));
      v128.store(out + row * stride + half, f32x4.mul(v, scale));
    }
  }
}

/**
 * One row of scores -> its probabilities as i16, 16 bytes a pair of keys. They are left unnormalised and as large as the
 * sum allows; what one unit is worth is returned.
 */
function softmaxRow(scores: usize, to: usize, tk: i32): f32 {
  const padded = (tk + 3) & ~3;
  for (let t = tk; t < padded; t++) store<f32>(scores + (<usize>t << 2), -Infinity);
  let most = f32x4.splat(-Infinity);
  for (let t = 0; t < padded; t += 4) most = f32x4.pmax(most, v128.load(scores + (<usize>t << 2)));
  const top = f32x4.splat(largest(most));
  let sum = f32x4.splat(0);
  for (let t = 0; t < padded; t += 4) {
    const at = scores + (<usize>t << 2);
    const e = exp4(f32x4.sub(v128.load(at), top));
    sum = f32x4.add(sum, e);
    v128.store(at, e);
  }
  const whole = total(sum);
  const unit = min<f32>(32767, PROBABILITY_SUM / whole);
  const units = f32x4.splat(unit);
  for (let t = 0; t < padded; t += 4) {
    const q = nearest4(v128.load(scores + (<usize>t << 2)), units);
    const words = i16x8.narrow_i32x4_s(q, q);
    v128.store_lane<i32>(to, words, 0);
    if (t + 2 < tk) v128.store_lane<i32>(to, words, 1, 16);
    to += 32;
  }
  return <f32>1 / (unit * whole);
}

/**
 * softmax(scale q k^T) v for all heads, four queries at a time: never more than [4, tk] scores exist.
 * q f32 [heads, tq, d], k and v f32 [heads, tk, d], out [heads, tq, d], each with its own byte strides; d a multiple of 4.
 * `scratch`: see attentionScratch in ../ops.ts.
 */
export function attention(
  out: usize, outHead: usize, outRow: usize, q: usize, qHead: usize, qRow: usize, k: usize, kHead: usize, kRow: usize,
  v: usize, vHead: usize, vRow: usize, heads: i32, tq: i32, tk: i32, d: i32, scale: f32, scratch: usize,
): void {
  const keysPadded = <usize>((tk + 7) & ~7);
  const widthPadded = <usize>((d + 7) & ~7);
  const pairs = <usize>((tk + 1) >> 1);
  const limit = min<f32>(32767, <f32>Math.floor(Math.sqrt(2147483647.0 / <f64>d)));
  const tile = scratch;
  const rowScales = tile + 128;
  const keyScales = rowScales + 32;
  const valueScales = keyScales + (keysPadded << 2);
  const keys = valueScales + (widthPadded << 2);
  const values = keys + keysPadded * ((<usize>d) << 1);
  const query = values + pairs * (widthPadded << 2);
  const scores = query + ((<usize>d) << 3);
  const probabilities = scores + (keysPadded << 4);
  const result = probabilities + (pairs << 4);
  // Columns past d (d = 4 modulo 8) multiply into nothing that is read, but stale bytes there must not matter either.
  memory.fill(valueScales, 0, widthPadded << 2);
  memory.fill(values, 0, pairs * (widthPadded << 2));
  for (let head: usize = 0; head < <usize>heads; head++) {
    packKeys(keys, keyScales, k + head * kHead, kRow, tk, d, limit);
    packValues(values, valueScales, v + head * vHead, vRow, tk, d);
    for (let first = 0; first < tq; first += 4) {
      const rows = min(4, tq - first);
      for (let row = 0; row < 4; row++) {
        // A row past the end repeats the last one: its result is not stored.
        const from = q + head * qHead + <usize>(first + min(row, rows - 1)) * qRow;
        const rowScale = quantizeRow16(query + (<usize>row << 2), from, d, limit);
        store<f32>(rowScales + (<usize>row << 2), rowScale * scale);
      }
      for (let t: usize = 0; t < keysPadded; t += 8) {
        tile16x16(query, keys + t * ((<usize>d) << 1), d, tile);
        scaleTile(tile, rowScales, keyScales + (t << 2), scores + (t << 2), keysPadded << 2);
      }
      for (let row: usize = 0; row < 4; row++) {
        const worth = softmaxRow(scores + row * (keysPadded << 2), probabilities + (row << 2), tk);
        store<f32>(rowScales + (row << 2), worth);
      }
      for (let column: usize = 0; column < <usize>d; column += 8) {
        tile16x16(probabilities, values + column * (pairs << 2), <i32>pairs << 1, tile);
        scaleTile(tile, rowScales, valueScales + (column << 2), result, 32);
        const bytes = min<usize>(32, (<usize>d - column) << 2);
        for (let row = 0; row < rows; row++) {
          const to = out + head * outHead + <usize>(first + row) * outRow + (column << 2);
          memory.copy(to, result + (<usize>row << 5), bytes);
        }
      }
    }
  }
}
