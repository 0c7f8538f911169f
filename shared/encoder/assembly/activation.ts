/**
 * Powers of two, erf and tanh by polynomials of our own: `Math.*` differs between engines, these are add, mul, div, min, max and
 * shifts, which IEEE 754 fixes to the bit. `pmin` and `pmax` are one instruction on x86-64; `min` and `max` take several,
 * because they order -0 and carry NaN, and neither matters where they stand here.
 */

/**
 * Every constant vector is a broadcast load from this table. A literal one, which an engine builds from immediates, made
 * attention and GELU about a tenth slower in V8.
 */
const TABLE: usize = memory.data<f32>([
  12582912, -126, 127, 0.6931241750717163, 0.24024099111557007, 0.055906426161527634, 0.009582852944731712, 1, 0.5,
]);
/** The bits of ROUND. */
const INTEGERS: usize = memory.data<i32>([0x4b400000]);

// @ts-ignore: decorator
@inline
function constant(index: usize): v128 {
  return v128.load_splat<u32>(TABLE + (index << 2));
}

/** 1.5 x 2^23: a float of that size has no bits for fractions, so adding it rounds to the nearest integer, half to even. */
// @ts-ignore: decorator
@inline
const ROUND: usize = 0;
// @ts-ignore: decorator
@inline
const ONE: usize = 7;
// @ts-ignore: decorator
@inline
const HALF: usize = 8;

/** The nearest integers of four floats below 2^22, as i32. Two instructions; `nearest` and `trunc_sat` take more. */
// @ts-ignore: decorator
@inline
export function round4(x: v128): v128 {
  return i32x4.sub(f32x4.add(x, constant(ROUND)), v128.load_splat<u32>(INTEGERS));
}

/** 2^x for four floats in [-126, 127.5]; relative error below 3e-6 (the polynomial is minimax on [-1/2, 1/2], and 1 at 0). */
// @ts-ignore: decorator
@inline
export function power4(x: v128): v128 {
  const rounded = f32x4.add(x, constant(ROUND));
  const r = f32x4.sub(x, f32x4.sub(rounded, constant(ROUND)));
  let p = constant(6);
  p = f32x4.add(f32x4.mul(p, r), constant(5));
  p = f32x4.add(f32x4.mul(p, r), constant(4));
  p = f32x4.add(f32x4.mul(p, r), constant(3));
  p = f32x4.add(f32x4.mul(p, r), constant(ONE));
  // The integer is added to the exponent; the bits of ROUND vanish in the shift.
  return i32x4.add(p, i32x4.shl(rounded, 23));
}

/** 2^x for x <= 0: what would be below 2^-126 is that. */
// @ts-ignore: decorator
@inline
export function share4(x: v128): v128 {
  return power4(f32x4.pmax(x, constant(1)));
}

/** 2^x for any x, kept within what a normal float holds. */
// @ts-ignore: decorator
@inline
function anyPower4(x: v128): v128 {
  return power4(f32x4.pmin(f32x4.pmax(x, constant(1)), constant(2)));
}

/**
 * Both kinds of GELU are x / 2 (1 + g(x)) with an odd g: erf(x / sqrt 2), and tanh of a cubic. g = z P(z^2) / Q(z^2), z = x within
 * +-limit, beyond which g is 1; fitted for the least error of x / 2 g, 6e-6.
 * Limit, -limit, p3..p0, q3..q1.
 */
const GELU_ERF: usize = memory.data<f32>([
  4.8, -4.8, 6.295708590187132e-5, 0.007572963368147612, 0.05683229863643646, 0.797810971736908, 0.0011264714412391186,
  0.024211354553699493, 0.23772074282169342,
]);
const GELU_TANH: usize = memory.data<f32>([
  4.6, -4.6, 5.400587906478904e-5, 0.006742006633430719, 0.0518898144364357, 0.7979621291160583, 0.0009888907661661506,
  0.02158777415752411, 0.23281094431877136,
]);

function gelu(at: usize, end: usize, table: usize): void {
  const limit = v128.load_splat<u32>(table), least = v128.load_splat<u32>(table, 4);
  const p3 = v128.load_splat<u32>(table, 8), p2 = v128.load_splat<u32>(table, 12), p1 = v128.load_splat<u32>(table, 16);
  const p0 = v128.load_splat<u32>(table, 20);
  const q3 = v128.load_splat<u32>(table, 24), q2 = v128.load_splat<u32>(table, 28), q1 = v128.load_splat<u32>(table, 32);
  for (; at < end; at += 16) {
    const x = v128.load(at);
    const z = f32x4.pmin(f32x4.pmax(x, least), limit);
    const s = f32x4.mul(z, z);
    let p = f32x4.add(f32x4.mul(p3, s), p2);
    p = f32x4.add(f32x4.mul(p, s), p1);
    p = f32x4.add(f32x4.mul(p, s), p0);
    let q = f32x4.add(f32x4.mul(q3, s), q2);
    q = f32x4.add(f32x4.mul(q, s), q1);
    q = f32x4.add(f32x4.mul(q, s), constant(ONE));
    const half = f32x4.mul(x, constant(HALF));
    v128.store(at, f32x4.add(half, f32x4.mul(half, f32x4.div(f32x4.mul(z, p), q))));
  }
}

/** x sigmoid(x slope), with -slope / ln 2: SiLU (1), quick GELU (1.702). */
// @ts-ignore: decorator
@inline
function gate4(x: v128, slope: v128): v128 {
  return f32x4.div(x, f32x4.add(constant(ONE), anyPower4(f32x4.mul(x, slope))));
}

/** 1 - range / (e^(range x) + 1) with range / ln 2: tanh (2), sigmoid (1). */
// @ts-ignore: decorator
@inline
function step4(x: v128, range: v128, slope: v128): v128 {
  const e = anyPower4(f32x4.mul(x, slope));
  return f32x4.sub(constant(ONE), f32x4.div(range, f32x4.add(e, constant(ONE))));
}

/** In place, `count` floats (a multiple of 4). The numbers are part of the program format: `ACTIVATIONS` in ../graph/steps.ts. */
export function activate(at: usize, count: i32, kind: i32): void {
  const end = at + ((<usize>count) << 2);
  if (kind == 1) {
    gelu(at, end, GELU_ERF);
  } else if (kind == 2) {
    gelu(at, end, GELU_TANH);
  } else if (kind == 3 || kind == 4) {
    const slope = f32x4.splat(kind == 3 ? -2.45546696 : -1.44269504);
    for (; at < end; at += 16) v128.store(at, gate4(v128.load(at), slope));
  } else if (kind == 5) {
    const zero = f32x4.splat(0);
    for (; at < end; at += 16) v128.store(at, f32x4.pmax(v128.load(at), zero));
  } else if (kind == 6 || kind == 7) {
    const range = f32x4.splat(kind == 6 ? 2 : 1), slope = f32x4.splat(kind == 6 ? 2.88539008 : 1.44269504);
    for (; at < end; at += 16) v128.store(at, step4(v128.load(at), range, slope));
  }
}
