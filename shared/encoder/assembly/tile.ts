/**
 * The innermost products: 4 rows x 8 columns of exact 32-bit sums, kept in eight vector registers (V8 has 15 of them for us on
 * x86-64, so 4 x 16 would spill). Both operands are packed so that a step reads them in order:
 *
 *   left   [rows/4][k/u][4 rows][u]      u values of k stand together: 4 (bytes), 2 (16 bits) or 1 (floats)
 *   right  [columns/8][k/u][8 columns][u]
 *
 * Each is a function of its own and short enough to be entered often: V8 swaps in optimised code at the next call only.
 */

/** One step of four i8 x u7 products for four columns. Equal on every engine because no right value exceeds 127. */
function dot7(x: v128, w: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    return i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, sum);
  } else {
    const low = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(x), i16x8.extend_low_i8x16_s(w));
    const high = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(x), i16x8.extend_high_i8x16_s(w));
    const even = v128.shuffle<i32>(low, high, 0, 2, 4, 6);
    const odd = v128.shuffle<i32>(low, high, 1, 3, 5, 7);
    return i32x4.add(sum, i32x4.add(even, odd));
  }
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

/** left i8 (u = 4), right 0..127 (u = 4), `k` a multiple of 4; writes i32 [4, 8] to `out`. */
export function tile7(left: usize, right: usize, k: i32, out: usize): void {
  let a0 = i32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
  const end = left + ((<usize>k) << 2);
  while (left < end) {
    const w0 = v128.load(right), w1 = v128.load(right, 16);
    let x = v128.load_splat<u32>(left);
    a0 = dot7(x, w0, a0);
    a1 = dot7(x, w1, a1);
    x = v128.load_splat<u32>(left, 4);
    b0 = dot7(x, w0, b0);
    b1 = dot7(x, w1, b1);
    x = v128.load_splat<u32>(left, 8);
    c0 = dot7(x, w0, c0);
    c1 = dot7(x, w1, c1);
    x = v128.load_splat<u32>(left, 12);
    d0 = dot7(x, w0, d0);
    d1 = dot7(x, w1, d1);
    left += 16;
    right += 32;
  }
  store(out, a0, a1, b0, b1, c0, c1, d0, d1);
}

/** A one for every 16-bit lane. In memory, so that V8 keeps it in a register and does not make it anew for each product. */
const ONES: usize = memory.data<i16>([1]);

/** dot7 in two steps of one x86-64 instruction each: pairs to 16 bits (at most 2 x 127 x 127, so nothing saturates), then to 32. */
// @ts-ignore: decorator
@inline
function dot7Split(x: v128, w: v128, ones: v128, sum: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(x, w), ones));
}

/**
 * Does the engine have one instruction for dot7 (AVX-VNNI, Arm's dot product)? Without one, tile7Split is a third faster
 * in V8. No clock is needed to find out: where it is put together from 16-bit pairs, operands outside of the
 * promised range saturate on the way, 4 x 127 x 255 becomes 2 x 32767.
 */
export function hasDot7(): i32 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    const sum = i32x4.relaxed_dot_i8x16_i7x16_add_s(i8x16.splat(127), i8x16.splat(-1), i32x4.splat(0));
    return <i32>(i32x4.extract_lane(sum, 0) != 65534);
  } else {
    return 1;
  }
}

/** As tile7, bit by bit, for engines without an instruction for it. */
export function tile7Split(left: usize, right: usize, k: i32, out: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    const ones = v128.load_splat<u16>(ONES);
    let a0 = i32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
    const end = left + ((<usize>k) << 2);
    while (left < end) {
      const w0 = v128.load(right), w1 = v128.load(right, 16);
      let x = v128.load_splat<u32>(left);
      a0 = dot7Split(x, w0, ones, a0);
      a1 = dot7Split(x, w1, ones, a1);
      x = v128.load_splat<u32>(left, 4);
      b0 = dot7Split(x, w0, ones, b0);
      b1 = dot7Split(x, w1, ones, b1);
      x = v128.load_splat<u32>(left, 8);
      c0 = dot7Split(x, w0, ones, c0);
      c1 = dot7Split(x, w1, ones, c1);
      x = v128.load_splat<u32>(left, 12);
      d0 = dot7Split(x, w0, ones, d0);
      d1 = dot7Split(x, w1, ones, d1);
      left += 16;
      right += 32;
    }
    store(out, a0, a1, b0, b1, c0, c1, d0, d1);
  } else {
    tile7(left, right, k, out);
  }
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

/** As tile16 with i16 on both sides: the two products of attention. */
export function tile16x16(left: usize, right: usize, k: i32, out: usize): void {
  let a0 = i32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
  const end = left + ((<usize>k) << 3);
  while (left < end) {
    const w0 = v128.load(right), w1 = v128.load(right, 16);
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
    right += 32;
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
