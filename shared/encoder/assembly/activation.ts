/**
 * exp, erf and tanh by polynomials of our own: `Math.*` differs between engines, these are add, mul, div, min, max and
 * shifts, which IEEE 754 fixes to the bit. `pmin` and `pmax` are one instruction on x86-64; `min` and `max` take several,
 * because they order -0 and carry NaN, and neither matters where they stand here.
 */

/**
 * Every constant vector is a broadcast load from this table. A literal one, which an engine builds from immediates, made
 * attention and GELU about a tenth slower in V8.
 */
const TABLE: usize = memory.data<f32>([
  12582912, -87, 88, 1.44269504, 0.693359375, -2.12194440e-4, 0.00138888889, 0.00833333333, 0.0416666667, 0.166666667, 0.5,
  1, 0.70710678, -3.8, 3.8, -1.6896587e-6, 2.9425285e-4, 0.011443193, 0.075731464, 0.3908979, 1.1283773, 0.00272449,
  0.03041511, 0.1937853, 0.67973363,
]);
/** 127, the exponent of 1, as an integer; and the bits of ROUND. */
const INTEGERS: usize = memory.data<i32>([127, 0x4b400000]);

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
const HALF: usize = 10;
// @ts-ignore: decorator
@inline
const ONE: usize = 11;

/** The nearest integers of four floats below 2^22, as i32. Two instructions; `nearest` and `trunc_sat` take more. */
// @ts-ignore: decorator
@inline
export function round4(x: v128): v128 {
  return i32x4.sub(f32x4.add(x, constant(ROUND)), v128.load_splat<u32>(INTEGERS + 4));
}

/** e^x for four floats; relative error below 2e-7. Clamped to [-87, 88], where the result is still a normal float. */
// @ts-ignore: decorator
@inline
export function exp4(value: v128): v128 {
  const x = f32x4.pmin(f32x4.pmax(value, constant(1)), constant(2));
  const rounded = f32x4.add(f32x4.mul(x, constant(3)), constant(ROUND));
  const n = f32x4.sub(rounded, constant(ROUND));
  // ln 2 in two parts: the first has 9 significant bits, so that its product with n is exact (Cody and Waite).
  let r = f32x4.sub(x, f32x4.mul(n, constant(4)));
  r = f32x4.sub(r, f32x4.mul(n, constant(5)));
  // Taylor to r^6 / 720 on |r| <= ln 2 / 2.
  let p = constant(6);
  p = f32x4.add(f32x4.mul(p, r), constant(7));
  p = f32x4.add(f32x4.mul(p, r), constant(8));
  p = f32x4.add(f32x4.mul(p, r), constant(9));
  p = f32x4.add(f32x4.mul(p, r), constant(HALF));
  p = f32x4.add(f32x4.mul(p, r), constant(ONE));
  p = f32x4.add(f32x4.mul(p, r), constant(ONE));
  // x 2^n: n is added to the exponent (the bits of ROUND vanish in the shift).
  return f32x4.mul(p, i32x4.shl(i32x4.add(rounded, v128.load_splat<u32>(INTEGERS)), 23));
}

/** GELU by erf. erf z = z P(z^2) / Q(z^2) on |z| < 3.8, fitted by least squares; absolute error below 6e-7. */
// @ts-ignore: decorator
@inline
function gelu4(x: v128): v128 {
  const z = f32x4.pmin(f32x4.pmax(f32x4.mul(x, constant(12)), constant(13)), constant(14));
  const s = f32x4.mul(z, z);
  let p = constant(15);
  p = f32x4.add(f32x4.mul(p, s), constant(16));
  p = f32x4.add(f32x4.mul(p, s), constant(17));
  p = f32x4.add(f32x4.mul(p, s), constant(18));
  p = f32x4.add(f32x4.mul(p, s), constant(19));
  p = f32x4.add(f32x4.mul(p, s), constant(20));
  let q = constant(21);
  q = f32x4.add(f32x4.mul(q, s), constant(22));
  q = f32x4.add(f32x4.mul(q, s), constant(23));
  q = f32x4.add(f32x4.mul(q, s), constant(24));
  q = f32x4.add(f32x4.mul(q, s), constant(ONE));
  const erf = f32x4.div(f32x4.mul(z, p), q);
  const half = f32x4.mul(x, constant(HALF));
  return f32x4.add(half, f32x4.mul(half, erf));
}

/**
 * x sigmoid(-(linear x + cubic x^3)): SiLU (-1, 0), quick GELU (-1.702, 0), and GELU by tanh, because
 * (1 + tanh y) / 2 = sigmoid(2 y).
 */
// @ts-ignore: decorator
@inline
function gate4(x: v128, linear: v128, cubic: v128): v128 {
  const slope = f32x4.add(linear, f32x4.mul(f32x4.mul(x, x), cubic));
  return f32x4.div(x, f32x4.add(constant(ONE), exp4(f32x4.mul(x, slope))));
}

/** 1 - range / (e^(range x) + 1): tanh (2), sigmoid (1). */
// @ts-ignore: decorator
@inline
function step4(x: v128, range: v128): v128 {
  const e = exp4(f32x4.mul(x, range));
  return f32x4.sub(constant(ONE), f32x4.div(range, f32x4.add(e, constant(ONE))));
}

/** In place, `count` floats (a multiple of 4). The numbers are part of the program format: `ACTIVATIONS` in ../graph/steps.ts. */
export function activate(at: usize, count: i32, kind: i32): void {
  const end = at + ((<usize>count) << 2);
  if (kind == 1) {
    for (; at < end; at += 16) v128.store(at, gelu4(v128.load(at)));
  } else if (kind >= 2 && kind <= 4) {
    const linear = f32x4.splat(kind == 2 ? -1.5957691 : kind == 3 ? -1.702 : -1);
    const cubic = f32x4.splat(kind == 2 ? -0.071354816 : 0);
    for (; at < end; at += 16) v128.store(at, gate4(v128.load(at), linear, cubic));
  } else if (kind == 5) {
    const zero = f32x4.splat(0);
    for (; at < end; at += 16) v128.store(at, f32x4.pmax(v128.load(at), zero));
  } else if (kind == 6 || kind == 7) {
    const range = f32x4.splat(kind == 6 ? 2 : 1);
    for (; at < end; at += 16) v128.store(at, step4(v128.load(at), range));
  }
}
