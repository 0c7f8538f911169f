/**
 * exp, erf and tanh by polynomials of our own: `Math.*` differs between engines, these are add, mul, div, nearest and
 * shifts, which IEEE 754 fixes to the bit.
 */

/** e^x for four floats; relative error below 2e-7. Clamped to [-87, 88], where the result is still a normal float. */
export function exp4(value: v128): v128 {
  const x = f32x4.min(f32x4.max(value, f32x4.splat(-87)), f32x4.splat(88));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504)));
  // ln 2 in two parts: the first has 9 significant bits, so that its product with n is exact (Cody and Waite).
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  // Taylor to r^6 / 720 on |r| <= ln 2 / 2.
  let p = f32x4.splat(0.00138888889);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.00833333333));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.0416666667));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.166666667));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.5));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(p, power);
}

/** x / (1 + e^(-slope x)): SiLU with slope 1, quick GELU with slope 1.702. */
function swish(x: v128, slope: f32): v128 {
  const e = exp4(f32x4.mul(x, f32x4.splat(-slope)));
  return f32x4.div(x, f32x4.add(f32x4.splat(1), e));
}

/** tanh y = 1 - 2 / (e^2y + 1). */
function tanh4(y: v128): v128 {
  const e = exp4(f32x4.add(y, y));
  return f32x4.sub(f32x4.splat(1), f32x4.div(f32x4.splat(2), f32x4.add(e, f32x4.splat(1))));
}

/** erf z, absolute error below 3e-7: Abramowitz and Stegun 7.1.26. */
function erf4(z: v128): v128 {
  const a = f32x4.abs(z);
  const t = f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), f32x4.mul(a, f32x4.splat(0.3275911))));
  let p = f32x4.splat(1.061405429);
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-1.453152027));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(1.421413741));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-0.284496736));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.254829592));
  p = f32x4.mul(p, t);
  const tail = f32x4.mul(p, exp4(f32x4.neg(f32x4.mul(a, a))));
  const sign = v128.and(z, i32x4.splat(0x80000000));
  return v128.or(f32x4.sub(f32x4.splat(1), tail), sign);
}

/** The numbers are part of the program format: see `ACTIVATIONS` in ../ops.ts. */
export function activate(x: v128, kind: i32): v128 {
  switch (kind) {
    case 1: {
      const half = f32x4.mul(x, f32x4.splat(0.5));
      return f32x4.add(half, f32x4.mul(half, erf4(f32x4.mul(x, f32x4.splat(0.70710678)))));
    }
    case 2: {
      // 0.5 x (1 + tanh y) = x / (1 + e^(-2y)), y = sqrt(2/pi) (x + 0.044715 x^3)
      const cube = f32x4.mul(f32x4.mul(x, x), x);
      const y = f32x4.mul(f32x4.add(x, f32x4.mul(cube, f32x4.splat(0.044715))), f32x4.splat(-1.5957691));
      return f32x4.div(x, f32x4.add(f32x4.splat(1), exp4(y)));
    }
    case 3:
      return swish(x, 1.702);
    case 4:
      return swish(x, 1);
    case 5:
      return f32x4.max(x, f32x4.splat(0));
    case 6:
      return tanh4(x);
    case 7:
      return f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), exp4(f32x4.neg(x))));
    default:
      return x;
  }
}
