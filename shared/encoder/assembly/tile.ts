/**
 * The innermost products: exact 32-bit sums of a few rows x 8 columns, kept in vector registers (V8 has 15 of them for us on
 * x86-64). Both operands are packed so that a step reads them in order:
 *
 *   left   [rows/r][k/u][r rows][u]      u values of k stand together: 4 (bytes), 2 (16 bits) or 1 (floats)
 *   right  [columns/8][k/u][8 columns][u]
 *
 * r is `byteRows()` for bytes, whose dot takes five cycles where it is one instruction: eight sums would leave two of five idle. It is 4
 * for the others, whose additions take one cycle.
 * An engine that checks every address (workerd does) pays more for a check than for a shuffle: a step's fours come by one load and
 * shuffles, and a splat that is loaded stands at no offset from its pointer where it can, because V8 computes another address for it.
 * Each is a function of its own and short enough to be entered often: V8 swaps in optimised code at the next call only.
 */

/** One step of four products for four columns; `u` within 0..127, so that no engine's way of adding them saturates. */
// @ts-ignore: decorator
@inline
function dot7(s: v128, u: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    return i32x4.relaxed_dot_i8x16_i7x16_add_s(s, u, sum);
  } else {
    const low = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(s), i16x8.extend_low_i8x16_s(u));
    const high = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(s), i16x8.extend_high_i8x16_s(u));
    const even = v128.shuffle<i32>(low, high, 0, 2, 4, 6);
    const odd = v128.shuffle<i32>(low, high, 1, 3, 5, 7);
    return i32x4.add(sum, i32x4.add(even, odd));
  }
}

/** A one for every 16-bit lane. In memory, so that V8 keeps it in a register and does not make it anew for each product. */
const ONES: usize = memory.data<i16>([1]);

/** dot7 in two steps of one x86-64 instruction each: pairs to 16 bits (at most 2 x 128 x 127, so nothing saturates), then to 32. */
// @ts-ignore: decorator
@inline
function dot7Pairs(s: v128, u: v128, ones: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    return i32x4.add(sum, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(s, u), ones));
  } else {
    return dot7(s, u, sum);
  }
}

/**
 * Does the engine have one instruction for dot7 (AVX-VNNI, Arm's dot product)? Without one, pairs are a third faster in V8.
 * No clock is needed to find out: where it is put together from 16-bit pairs, operands outside of the promised range
 * saturate on the way, 4 x 127 x 255 becomes 2 x 32767.
 */
export function hasDot7(): i32 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    const sum = i32x4.relaxed_dot_i8x16_i7x16_add_s(i8x16.splat(127), i8x16.splat(-1), i32x4.splat(0));
    return <i32>(i32x4.extract_lane(sum, 0) != 65534);
  } else {
    return 0;
  }
}

let pairs: i32 = 0;

/** From now on byte products go by pairs (1) or by dot7 (0): the same bits, another speed, and other rows in a tile. */
export function usePairs(value: i32): void {
  pairs = value;
}

export function byPairs(): bool {
  return pairs != 0;
}

/**
 * Rows of a tile of bytes. By one instruction five: ten sums, two right vectors, the step's fours and one of them are 14 registers; a
 * sixth row would have to be loaded four by four. By pairs two times three.
 */
export function byteRows(): i32 {
  return pairs ? 6 : 5;
}

function store(out: usize, a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, g: v128, h: v128): void {
  v128.store(out, a);
  v128.store(out, b, 16);
  v128.store(out, c, 32);
  v128.store(out, d, 48);
  v128.store(out, e, 64);
  v128.store(out, f, 80);
  v128.store(out, g, 96);
  v128.store(out, h, 112);
}

/** Five rows by one instruction a step. `leftIsU7`: the left side is within 0..127, and its fours are 8 bytes apart instead of 4. */
// @ts-ignore: decorator
@inline
function fiveRows(left: usize, right: usize, k: i32, out: usize, leftIsU7: bool): void {
  let a0 = i32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0, e0 = a0, e1 = a0;
  let rows = a0;
  const end = right + ((<usize>k) << 3);
  while (right < end) {
    const w0 = v128.load(right), w1 = v128.load(right, 16);
    let x = v128.load_splat<u32>(left);
    a0 = leftIsU7 ? dot7(w0, x, a0) : dot7(x, w0, a0);
    a1 = leftIsU7 ? dot7(w1, x, a1) : dot7(x, w1, a1);
    if (leftIsU7) rows = v128.load(left, 8);
    else rows = v128.load(left, 4);
    x = v128.shuffle<i32>(rows, rows, 0, 0, 0, 0);
    b0 = leftIsU7 ? dot7(w0, x, b0) : dot7(x, w0, b0);
    b1 = leftIsU7 ? dot7(w1, x, b1) : dot7(x, w1, b1);
    x = leftIsU7 ? v128.shuffle<i32>(rows, rows, 2, 2, 2, 2) : v128.shuffle<i32>(rows, rows, 1, 1, 1, 1);
    c0 = leftIsU7 ? dot7(w0, x, c0) : dot7(x, w0, c0);
    c1 = leftIsU7 ? dot7(w1, x, c1) : dot7(x, w1, c1);
    if (leftIsU7) rows = v128.load(left, 24);
    x = leftIsU7 ? v128.shuffle<i32>(rows, rows, 0, 0, 0, 0) : v128.shuffle<i32>(rows, rows, 2, 2, 2, 2);
    d0 = leftIsU7 ? dot7(w0, x, d0) : dot7(x, w0, d0);
    d1 = leftIsU7 ? dot7(w1, x, d1) : dot7(x, w1, d1);
    x = leftIsU7 ? v128.shuffle<i32>(rows, rows, 2, 2, 2, 2) : v128.shuffle<i32>(rows, rows, 3, 3, 3, 3);
    e0 = leftIsU7 ? dot7(w0, x, e0) : dot7(x, w0, e0);
    e1 = leftIsU7 ? dot7(w1, x, e1) : dot7(x, w1, e1);
    left += leftIsU7 ? 40 : 20;
    right += 32;
  }
  store(out, a0, a1, b0, b1, c0, c1, d0, d1);
  v128.store(out, e0, 128);
  v128.store(out, e1, 144);
}

/** Which rows `threeRows` takes: the first or the last three of six, or three of halves of shares, whose fours are 8 bytes apart. */
const LOW: i32 = 0;
const HIGH: i32 = 1;
const SHARES: i32 = 2;

/** The product of `threeRows`: four bytes by pairs, the left side within 0..127 of SHARES, or two words of 16 bits. */
// @ts-ignore: decorator
@inline
function product(x: v128, w: v128, ones: v128, sum: v128, which: i32, words: bool): v128 {
  if (words) return i32x4.add(sum, i32x4.dot_i16x8_s(x, w));
  return which == SHARES ? dot7Pairs(w, x, ones, sum) : dot7Pairs(x, w, ones, sum);
}

/**
 * Three of the six rows: more sums would not leave the registers that a pair needs. HIGH begins its load at the third row and so
 * stays inside of the step; of SHARES one load holds two.
 */
// @ts-ignore: decorator
@inline
function threeRows(left: usize, right: usize, end: usize, out: usize, which: i32, words: bool): void {
  const ones = v128.load_splat<u16>(ONES);
  let a0 = i32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0;
  while (right < end) {
    const w0 = v128.load(right), w1 = v128.load(right, 16), rows = v128.load(left);
    let x = which == HIGH ? v128.shuffle<i32>(rows, rows, 1, 1, 1, 1) : v128.shuffle<i32>(rows, rows, 0, 0, 0, 0);
    a0 = product(x, w0, ones, a0, which, words);
    a1 = product(x, w1, ones, a1, which, words);
    x = which == LOW ? v128.shuffle<i32>(rows, rows, 1, 1, 1, 1) : v128.shuffle<i32>(rows, rows, 2, 2, 2, 2);
    b0 = product(x, w0, ones, b0, which, words);
    b1 = product(x, w1, ones, b1, which, words);
    if (which == SHARES) x = v128.load_splat<u32>(left, 16);
    else x = which == HIGH ? v128.shuffle<i32>(rows, rows, 3, 3, 3, 3) : v128.shuffle<i32>(rows, rows, 2, 2, 2, 2);
    c0 = product(x, w0, ones, c0, which, words);
    c1 = product(x, w1, ones, c1, which, words);
    left += which == SHARES ? 48 : 24;
    right += 32;
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, b0, 32);
  v128.store(out, b1, 48);
  v128.store(out, c0, 64);
  v128.store(out, c1, 80);
}

function weightsByDot(left: usize, right: usize, k: i32, out: usize): void {
  fiveRows(left, right, k, out, false);
}

function lowByPairs(left: usize, right: usize, k: i32, out: usize): void {
  threeRows(left, right, right + ((<usize>k) << 3), out, LOW, false);
}

function highByPairs(left: usize, right: usize, k: i32, out: usize): void {
  threeRows(left, right, right + ((<usize>k) << 3), out, HIGH, false);
}

function sharesByDot(left: usize, right: usize, k: i32, out: usize): void {
  fiveRows(left, right, k, out, true);
}

function sharesByPairs(left: usize, right: usize, k: i32, out: usize): void {
  threeRows(left, right, right + ((<usize>k) << 3), out, SHARES, false);
}

function lowByWords(left: usize, right: usize, k: i32, out: usize): void {
  threeRows(left, right, right + ((<usize>k) << 4), out, LOW, true);
}

function highByWords(left: usize, right: usize, k: i32, out: usize): void {
  threeRows(left, right, right + ((<usize>k) << 4), out, HIGH, true);
}

/** left i8 (u = 4), right 0..127 (u = 4), `k` a multiple of 4; writes i32 [byteRows(), 8] to `out`. */
export function tile7(left: usize, right: usize, k: i32, out: usize): void {
  if (pairs) {
    lowByPairs(left, right, k, out);
    highByPairs(left + 8, right, k, out + 96);
  } else {
    weightsByDot(left, right, k, out);
  }
}

/** As tile7 with left 0..127, its fours 8 bytes apart, and right i8: one half of the shares of attention, and values. */
export function tile7Left(left: usize, right: usize, k: i32, out: usize): void {
  if (pairs) {
    sharesByPairs(left, right, k, out);
    sharesByPairs(left + 24, right, k, out + 96);
  } else {
    sharesByDot(left, right, k, out);
  }
}

/** left i16 (u = 2), right i16 (u = 2), `k` even; writes i32 [6, 8]. The caller bounds both so that no sum overflows. */
export function tileWords(left: usize, right: usize, k: i32, out: usize): void {
  lowByWords(left, right, k, out);
  highByWords(left + 8, right, k, out + 96);
}

/** left i16 (u = 2), right i8 (u = 2), `k` even; writes i32 [4, 8]. The caller bounds |left| so that no sum overflows. */
export function tile16(left: usize, right: usize, k: i32, out: usize): void {
  let a0 = i32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
  const end = left + ((<usize>k) << 3);
  while (left < end) {
    const w0 = v128.load_ext<i8>(right), w1 = v128.load_ext<i8>(right, 8);
    let x = v128.load_splat<u32>(left);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(x, w0));
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(x, w1));
    x = v128.load_splat<u32>(left, 4);
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(x, w0));
    b1 = i32x4.add(b1, i32x4.dot_i16x8_s(x, w1));
    x = v128.load_splat<u32>(left, 8);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(x, w0));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(x, w1));
    x = v128.load_splat<u32>(left, 12);
    d0 = i32x4.add(d0, i32x4.dot_i16x8_s(x, w0));
    d1 = i32x4.add(d1, i32x4.dot_i16x8_s(x, w1));
    left += 16;
    right += 16;
  }
  store(out, a0, a1, b0, b1, c0, c1, d0, d1);
}

/** left f32 (u = 1), right f32 (u = 1); writes f32 [4, 8]. Products are summed in the order of k, never fused. */
export function tile32(left: usize, right: usize, k: i32, out: usize): void {
  let a0 = f32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
  const end = left + ((<usize>k) << 4);
  while (left < end) {
    const w0 = v128.load(right), w1 = v128.load(right, 16);
    let x = v128.load_splat<u32>(left);
    a0 = f32x4.add(a0, f32x4.mul(x, w0));
    a1 = f32x4.add(a1, f32x4.mul(x, w1));
    x = v128.load_splat<u32>(left, 4);
    b0 = f32x4.add(b0, f32x4.mul(x, w0));
    b1 = f32x4.add(b1, f32x4.mul(x, w1));
    x = v128.load_splat<u32>(left, 8);
    c0 = f32x4.add(c0, f32x4.mul(x, w0));
    c1 = f32x4.add(c1, f32x4.mul(x, w1));
    x = v128.load_splat<u32>(left, 12);
    d0 = f32x4.add(d0, f32x4.mul(x, w0));
    d1 = f32x4.add(d1, f32x4.mul(x, w1));
    left += 16;
    right += 32;
  }
  store(out, a0, a1, b0, b1, c0, c1, d0, d1);
}
