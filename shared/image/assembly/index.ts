// The two passes of a resize, on memory that the host lays out. Compiled by infra/build-wasm/image.ts.
//
// A weight has 22 fraction bits and does not fit the 16-bit factors of `i32x4.dot_i16x8_s`, so it comes in two halves,
// weight = (high << 15) + low with 0 <= low < 2^15, and so do the sums. Sums wrap around at 32 bits, which is exact:
// the whole fits.

// @ts-ignore: decorator
@inline const PRECISION_BITS: i32 = 22;
// @ts-ignore: decorator
@inline const LOW_BITS: i32 = 15;

/** Sums of both halves -> four samples in the lowest four bytes, rounded and clamped. */
// @ts-ignore: decorator
@inline function finish(low: v128, high: v128): v128 {
  const half = i32x4.splat(1 << (PRECISION_BITS - 1));
  const sum = i32x4.add(i32x4.add(i32x4.shl(high, LOW_BITS), low), half);
  const value = i32x4.shr_s(sum, PRECISION_BITS);
  const narrow = i16x8.narrow_i32x4_s(value, value);
  return i8x16.narrow_i16x8_u(narrow, narrow);
}

/**
 * Where the bytes of two neighbouring pixels RGBRGB... go: r0 r1 g0 g1 b0 b1 0 0, 16 bits each. Loaded from memory, since
 * V8 builds a literal vector anew each time it is used. An index beyond 15 gives 0.
 */
const PAIRS: usize = memory.data<u8>([
  0, 128, 3, 128, 1, 128, 4, 128, 2, 128, 5, 128, 128, 128, 128, 128, 6, 128, 9, 128, 7, 128, 10, 128, 8, 128, 11, 128,
  128, 128, 128, 128,
]);

/**
 * Horizontal pass over rows of RGB, four rows at a time: `rows` is a multiple of 4.
 *
 * Reads up to 16 bytes behind the last row and writes one byte behind each narrowed row.
 *
 * @param first `[width]` i32: byte offset of the first source pixel
 * @param groups `[width]` i32: groups of four source pixels
 * @param low `[width, taps]` i16, `taps` a multiple of 4
 * @param high the same
 */
export function narrow(
  source: usize,
  sourceStride: usize,
  rows: i32,
  first: usize,
  groups: usize,
  low: usize,
  high: usize,
  taps: i32,
  width: i32,
  target: usize,
  targetStride: usize,
): void {
  const zero = i32x4.splat(0);
  const firstPair = v128.load(PAIRS);
  const secondPair = v128.load(PAIRS, 16);
  const weightStride = <usize>taps << 1;
  for (let y = 0; y < rows; y += 4) {
    let lowAt = low;
    let highAt = high;
    let to = target;
    for (let x = 0; x < width; x++) {
      let at0 = source + <usize>load<i32>(first + (<usize>x << 2));
      let at1 = at0 + sourceStride;
      let at2 = at1 + sourceStride;
      let at3 = at2 + sourceStride;
      let l0 = zero;
      let l1 = zero;
      let l2 = zero;
      let l3 = zero;
      let h0 = zero;
      let h1 = zero;
      let h2 = zero;
      let h3 = zero;
      const end = lowAt + (<usize>load<i32>(groups + (<usize>x << 2)) << 3);
      let offset = highAt - lowAt;
      for (let at = lowAt; at < end; at += 8) {
        const lowA = v128.load32_splat(at);
        const lowB = v128.load32_splat(at, 4);
        const highA = v128.load32_splat(at + offset);
        const highB = v128.load32_splat(at + offset, 4);
        let pixels = v128.load(at0);
        let a = i8x16.swizzle(pixels, firstPair);
        let b = i8x16.swizzle(pixels, secondPair);
        l0 = i32x4.add(l0, i32x4.add(i32x4.dot_i16x8_s(a, lowA), i32x4.dot_i16x8_s(b, lowB)));
        h0 = i32x4.add(h0, i32x4.add(i32x4.dot_i16x8_s(a, highA), i32x4.dot_i16x8_s(b, highB)));
        pixels = v128.load(at1);
        a = i8x16.swizzle(pixels, firstPair);
        b = i8x16.swizzle(pixels, secondPair);
        l1 = i32x4.add(l1, i32x4.add(i32x4.dot_i16x8_s(a, lowA), i32x4.dot_i16x8_s(b, lowB)));
        h1 = i32x4.add(h1, i32x4.add(i32x4.dot_i16x8_s(a, highA), i32x4.dot_i16x8_s(b, highB)));
        pixels = v128.load(at2);
        a = i8x16.swizzle(pixels, firstPair);
        b = i8x16.swizzle(pixels, secondPair);
        l2 = i32x4.add(l2, i32x4.add(i32x4.dot_i16x8_s(a, lowA), i32x4.dot_i16x8_s(b, lowB)));
        h2 = i32x4.add(h2, i32x4.add(i32x4.dot_i16x8_s(a, highA), i32x4.dot_i16x8_s(b, highB)));
        pixels = v128.load(at3);
        a = i8x16.swizzle(pixels, firstPair);
        b = i8x16.swizzle(pixels, secondPair);
        l3 = i32x4.add(l3, i32x4.add(i32x4.dot_i16x8_s(a, lowA), i32x4.dot_i16x8_s(b, lowB)));
        h3 = i32x4.add(h3, i32x4.add(i32x4.dot_i16x8_s(a, highA), i32x4.dot_i16x8_s(b, highB)));
        at0 += 12;
        at1 += 12;
        at2 += 12;
        at3 += 12;
      }
      v128.store32_lane(to, finish(l0, h0), 0);
      v128.store32_lane(to + targetStride, finish(l1, h1), 0);
      v128.store32_lane(to + 2 * targetStride, finish(l2, h2), 0);
      v128.store32_lane(to + 3 * targetStride, finish(l3, h3), 0);
      to += 3;
      lowAt += weightStride;
      highAt += weightStride;
    }
    source += 4 * sourceStride;
    target += 4 * targetStride;
  }
}

/**
 * Vertical pass for one output row, sixteen samples at a time, out of a ring of rows.
 *
 * @param slot where in the ring the first row lies
 * @param pairs pairs of rows; with an odd count the last weight is 0
 * @param low `[2 * pairs]` i16
 * @param high the same
 * @param bytes samples of a row, rounded up to 16
 */
export function mix(
  ring: usize,
  stride: usize,
  slots: i32,
  slot: i32,
  pairs: i32,
  low: usize,
  high: usize,
  bytes: usize,
  target: usize,
): void {
  const zero = i32x4.splat(0);
  const last = ring + <usize>slots * stride;
  const begin = ring + <usize>slot * stride;
  for (let x: usize = 0; x < bytes; x += 16) {
    let l0 = zero;
    let l1 = zero;
    let l2 = zero;
    let l3 = zero;
    let h0 = zero;
    let h1 = zero;
    let h2 = zero;
    let h3 = zero;
    let row = begin;
    for (let k: usize = 0; k < <usize>pairs; k++) {
      const weightLow = v128.load32_splat(low + (k << 2));
      const weightHigh = v128.load32_splat(high + (k << 2));
      const upper = v128.load(row + x);
      row += stride;
      if (row === last) row = ring;
      const lower = v128.load(row + x);
      row += stride;
      if (row === last) row = ring;
      const front = i8x16.shuffle(upper, lower, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const back = i8x16.shuffle(upper, lower, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      let pair = i16x8.extend_low_i8x16_u(front);
      l0 = i32x4.add(l0, i32x4.dot_i16x8_s(pair, weightLow));
      h0 = i32x4.add(h0, i32x4.dot_i16x8_s(pair, weightHigh));
      pair = i16x8.extend_high_i8x16_u(front);
      l1 = i32x4.add(l1, i32x4.dot_i16x8_s(pair, weightLow));
      h1 = i32x4.add(h1, i32x4.dot_i16x8_s(pair, weightHigh));
      pair = i16x8.extend_low_i8x16_u(back);
      l2 = i32x4.add(l2, i32x4.dot_i16x8_s(pair, weightLow));
      h2 = i32x4.add(h2, i32x4.dot_i16x8_s(pair, weightHigh));
      pair = i16x8.extend_high_i8x16_u(back);
      l3 = i32x4.add(l3, i32x4.dot_i16x8_s(pair, weightLow));
      h3 = i32x4.add(h3, i32x4.dot_i16x8_s(pair, weightHigh));
    }
    v128.store32_lane(target + x, finish(l0, h0), 0);
    v128.store32_lane(target + x, finish(l1, h1), 0, 4);
    v128.store32_lane(target + x, finish(l2, h2), 0, 8);
    v128.store32_lane(target + x, finish(l3, h3), 0, 12);
  }
}
