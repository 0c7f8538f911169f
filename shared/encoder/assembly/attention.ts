import { round4, share4 } from "./activation";
import { largest, nearest4, quantizeRow8, wholeTotal } from "./quantize";
import { byPairs, byteRows, tile7, tile7Left, tileWords } from "./tile";

/** Shares are 14 bits in two halves of 7: log2 of 16383.4, so that the largest is 16383. */
const LARGEST_SHARE: f32 = 13.999947;

/** Most keys of which shares of 14 bits and values of 8 have sums in 31 bits. The sums of their halves are whole in a float then, too. */
const MOST_BY_WORDS: i32 = 1032;

/** Of the largest tile, [6, 8]. */
const TILE_BYTES: usize = 192;

/** f32 [rows, width] -> the mean of each column, in the order of the rows; `width` a multiple of 4. */
function meanRow(out: usize, from: usize, stride: usize, rows: i32, width: i32): void {
  const count = f32x4.splat(<f32>rows);
  for (let at: usize = 0; at < (<usize>width) << 2; at += 16) {
    let sum = f32x4.splat(0);
    let row = from + at;
    for (let t = 0; t < rows; t++) {
      sum = f32x4.add(sum, v128.load(row));
      row += stride;
    }
    v128.store(out + at, f32x4.div(sum, count));
  }
}

/**
 * keys f32 [tk, d] -> right operand u7 [tk/8][d/4][8][4] with a scale a key, 64 added. `mean` is taken off all keys, which moves all scores of
 * a query by the same and so no share: what channels have in common would else take most of the range.
 */
function packKeys(out: usize, scales: usize, keys: usize, stride: usize, tk: i32, d: i32, mean: usize): void {
  const padded = (tk + 7) & ~7;
  const bytes = (<usize>d) << 2;
  const panel = bytes << 1;
  const middle = i32x4.splat(64);
  for (let t = 0; t < padded; t++) {
    // A key past the end repeats the last one, so that it is never the largest alone.
    const from = keys + <usize>min(t, tk - 1) * stride;
    let most = f32x4.splat(0);
    for (let at: usize = 0; at < bytes; at += 16)
      most = f32x4.pmax(most, f32x4.abs(f32x4.sub(v128.load(from + at), v128.load(mean + at))));
    const top = largest(most);
    const inverse = f32x4.splat(top > 0 ? <f32>63 / top : 0);
    store<f32>(scales + (<usize>t << 2), top / 63);
    let to = out + <usize>(t >> 3) * panel + (<usize>(t & 7) << 2);
    for (let at: usize = 0; at < bytes; at += 16) {
      const centred = f32x4.sub(v128.load(from + at), v128.load(mean + at));
      const q = i32x4.add(nearest4(centred, inverse), middle);
      const words = i16x8.narrow_i32x4_s(q, q);
      v128.store_lane<i32>(to, i8x16.narrow_i16x8_s(words, words), 0);
      to += 32;
    }
  }
}

/**
 * values f32 [tk, d] -> right operand i8 [d/8][tk/4][8][4], or with `unit` 2 the same numbers as i16 [d/8][tk/2][8][2], with a scale a
 * column.
 */
function packValues(out: usize, scales: usize, values: usize, stride: usize, tk: i32, d: i32, unit: i32): void {
  const panel = (<usize>((tk + unit - 1) / unit)) << 5;
  const bits = 32 / unit;
  const mask = i32x4.splat((1 << bits) - 1);
  for (let column: usize = 0; column < <usize>d; column += 4) {
    const top = values + (column << 2);
    let most = f32x4.splat(0);
    let from = top;
    for (let t = 0; t < tk; t++) {
      most = f32x4.pmax(most, f32x4.abs(v128.load(from)));
      from += stride;
    }
    v128.store(scales + (column << 2), f32x4.div(most, f32x4.splat(127)));
    // A column of zeros divides by zero: the quotient is masked to 0.
    const inverse = v128.and(f32x4.div(f32x4.splat(127), most), f32x4.gt(most, f32x4.splat(0)));
    let to = out + (column >> 3) * panel + ((column & 4) << 2);
    from = top;
    for (let t = 0; t < tk; t += unit) {
      let packed = v128.and(nearest4(v128.load(from), inverse), mask);
      for (let next = 1; next < min(unit, tk - t); next++) {
        const q = nearest4(v128.load(from + <usize>next * stride), inverse);
        packed = v128.or(packed, i32x4.shl(v128.and(q, mask), next * bits));
      }
      v128.store(to, packed);
      from += stride * <usize>unit;
      to += 32;
    }
  }
}

/** i32 tile [tileRows, 8] -> scores f32 in units of log2, and the largest of each row so far. */
function scaleScores(
  tile: usize, tileRows: i32, rowScales: usize, corrections: usize, keyScales: usize, scores: usize, stride: usize, tops: usize,
): void {
  const scale0 = v128.load(keyScales), scale1 = v128.load(keyScales, 16);
  const end = tile + (<usize>tileRows << 5);
  for (; tile < end; tile += 32) {
    const correction = v128.load_splat<u32>(corrections);
    const rowScale = v128.load_splat<u32>(rowScales);
    const left = f32x4.convert_i32x4_s(i32x4.add(v128.load(tile), correction));
    const right = f32x4.convert_i32x4_s(i32x4.add(v128.load(tile, 16), correction));
    const a = f32x4.mul(f32x4.mul(left, scale0), rowScale);
    const b = f32x4.mul(f32x4.mul(right, scale1), rowScale);
    v128.store(scores, a);
    v128.store(scores, b, 16);
    v128.store(tops, f32x4.pmax(v128.load(tops), f32x4.pmax(a, b)));
    corrections += 4;
    rowScales += 4;
    scores += stride;
    tops += 16;
  }
}

/** Four scores to shares of 14 bits. `most`: the row's largest, less LARGEST_SHARE. */
// @ts-ignore: decorator
@inline
function wholeShare4(scores: usize, most: v128): v128 {
  return round4(share4(f32x4.sub(v128.load(scores), most)));
}

/** One row of scores -> its shares: four high halves, four low ones, `step` bytes behind the last four keys (8 a row). Returns their sum. */
function shareRow(scores: usize, top: f32, to: usize, step: usize, tk: i32): i32 {
  const most = f32x4.splat(top - LARGEST_SHARE);
  const seven = i32x4.splat(127);
  let sum = i32x4.splat(0);
  const end = scores + ((<usize>tk) << 2);
  for (; scores < end; scores += 16) {
    const share = wholeShare4(scores, most);
    sum = i32x4.add(sum, share);
    const words = i16x8.narrow_i32x4_s(i32x4.shr_u(share, 7), v128.and(share, seven));
    v128.store_lane<i64>(to, i8x16.narrow_i16x8_s(words, words), 0);
    to += step;
  }
  return wholeTotal(sum);
}

/** As shareRow, to i16: those of two keys, `step` bytes behind the last two (4 a row). */
function shareRowWords(scores: usize, top: f32, to: usize, step: usize, tk: i32): i32 {
  const most = f32x4.splat(top - LARGEST_SHARE);
  let sum = i32x4.splat(0);
  const end = scores + ((<usize>tk) << 2);
  for (; scores < end; scores += 16) {
    const share = wholeShare4(scores, most);
    sum = i32x4.add(sum, share);
    const words = i16x8.narrow_i32x4_s(share, share);
    v128.store_lane<i32>(to, words, 0);
    v128.store_lane<i32>(to + step, words, 1);
    to += step << 1;
  }
  return wholeTotal(sum);
}

/** Sums of values to floats: of both halves, or with `low` 0 of whole shares. The bits are the same, because 128 high + low is rounded once. */
// @ts-ignore: decorator
@inline
function sums4(high: usize, low: usize): v128 {
  const whole = f32x4.convert_i32x4_s(v128.load(high));
  return low ? f32x4.add(f32x4.mul(whole, f32x4.splat(128)), f32x4.convert_i32x4_s(v128.load(low))) : whole;
}

/** i32 tiles [tileRows, 8] of both halves, or with `low` 0 one of whole shares -> `rows` rows of the result, `bytes` of each. */
function putValues(
  high: usize, low: usize, rowScales: usize, columnScales: usize, rows: i32, bytes: usize, out: usize, stride: usize,
): void {
  const scale0 = v128.load(columnScales), scale1 = v128.load(columnScales, 16);
  for (let row = 0; row < rows; row++) {
    const rowScale = v128.load_splat<u32>(rowScales + (<usize>row << 2));
    v128.store(out, f32x4.mul(f32x4.mul(sums4(high, low), scale0), rowScale));
    if (bytes > 16)
      v128.store(out, f32x4.mul(f32x4.mul(sums4(high + 16, low ? low + 16 : 0), scale1), rowScale), 16);
    high += 32;
    if (low) low += 32;
    out += stride;
  }
}

/**
 * softmax(scale q k^T) v for all heads, a tile's queries at a time: never more than [6, tk] scores exist.
 * q f32 [heads, tq, d], k and v f32 [heads, tk, d], out [heads, tq, d], each with its own byte strides; d a multiple of 4.
 * In bytes: q i8, k u7 without what all keys have in common, shares 14 bits, v i8. Shares go in two halves of 7 bits where bytes go by one
 * instruction; by pairs two products of halves cost more than one of 16 bits. `scratch`: attentionScratchBytes in ../program/sizes.ts.
 */
export function attention(
  out: usize, outHead: usize, outRow: usize, q: usize, qHead: usize, qRow: usize, k: usize, kHead: usize, kRow: usize,
  v: usize, vHead: usize, vRow: usize, heads: i32, tq: i32, tk: i32, d: i32, scale: f32, scratch: usize,
): void {
  const tileRows = byteRows();
  const keysPadded = <usize>((tk + 7) & ~7);
  const widthPadded = <usize>((d + 7) & ~7);
  const words = byPairs() && tk <= MOST_BY_WORDS;
  const unit = words ? 2 : 4;
  const steps = (tk + unit - 1) / unit;
  const valuePanel = <usize>steps << 5;
  const tile = scratch;
  const lowTile = tile + TILE_BYTES;
  const tops = lowTile + TILE_BYTES;
  const rowScales = tops + 96;
  const corrections = rowScales + 32;
  const mean = corrections + 32;
  const keyScales = mean + ((<usize>d) << 2);
  const valueScales = keyScales + (keysPadded << 2);
  const keys = valueScales + (widthPadded << 2);
  const values = keys + keysPadded * <usize>d;
  const query = values + valuePanel * (widthPadded >> 3);
  const scores = query + (<usize>d) * 6;
  const shares = scores + keysPadded * 24;
  const stride = keysPadded << 2;
  // Columns past d (d = 4 modulo 8) multiply into nothing that is read, but stale bytes there must not matter either.
  memory.fill(valueScales, 0, widthPadded << 2);
  memory.fill(values, 0, valuePanel * (widthPadded >> 3));
  for (let head: usize = 0; head < <usize>heads; head++) {
    meanRow(mean, k + head * kHead, kRow, tk, d);
    packKeys(keys, keyScales, k + head * kHead, kRow, tk, d, mean);
    packValues(values, valueScales, v + head * vHead, vRow, tk, d, unit);
    for (let first = 0; first < tq; first += tileRows) {
      const rows = min(tileRows, tq - first);
      for (let row = 0; row < tileRows; row++) {
        // A row past the end repeats the last one: its result is not stored.
        const from = q + head * qHead + <usize>(first + min(row, rows - 1)) * qRow;
        const at = <usize>row << 2;
        const rowScale = quantizeRow8(query + at, <usize>tileRows << 2, corrections + at, from, d);
        store<f32>(rowScales + at, rowScale * scale * 1.44269504);
        v128.store(tops + (at << 2), f32x4.splat(-Infinity));
      }
      for (let t: usize = 0; t < keysPadded; t += 8) {
        tile7(query, keys + t * <usize>d, d, tile);
        scaleScores(tile, tileRows, rowScales, corrections, keyScales + (t << 2), scores + (t << 2), stride, tops);
      }
      for (let row: usize = 0; row < <usize>tileRows; row++) {
        const from = scores + row * stride;
        for (let t = <usize>tk; t < keysPadded; t++) store<f32>(from + (t << 2), -Infinity);
        const top = largest(v128.load(tops + (row << 4)));
        const sum = words
          ? shareRowWords(from, top, shares + (row << 2), <usize>tileRows << 2, tk)
          : shareRow(from, top, shares + (row << 3), <usize>tileRows << 3, tk);
        store<f32>(rowScales + (row << 2), <f32>1 / <f32>sum);
      }
      for (let column: usize = 0; column < <usize>d; column += 8) {
        const panel = values + (column >> 3) * valuePanel;
        if (words) {
          tileWords(shares, panel, steps << 1, tile);
        } else {
          tile7Left(shares, panel, steps << 2, tile);
          tile7Left(shares + 4, panel, steps << 2, lowTile);
        }
        const to = out + head * outHead + <usize>first * outRow + (column << 2);
        const low = words ? 0 : lowTile;
        putValues(tile, low, rowScales, valueScales + (column << 2), rows, (<usize>d - column) << 2, to, outRow);
      }
    }
  }
}
