import type { Filter } from "./filters.ts";

/** Fraction bits of a coefficient: 32 less 8 bits of sample and 2 of headroom for overshoot. */
export const PRECISION_BITS = 32 - 8 - 2;

/** For every output position: which input samples it takes, and with what weights. */
export interface Coefficients {
  /** Weights held for one output position; unused ones are 0. */
  readonly taps: number;
  /** `[outSize]` first input sample. */
  readonly first: Int32Array;
  /** `[outSize]` how many of the taps count. */
  readonly count: Int32Array;
  /** `[outSize, taps]` fixed point, `PRECISION_BITS` fraction bits. */
  readonly weights: Int32Array;
}

/**
 * The weights of one axis: the kernel, widened by the scale when shrinking, sampled at pixel centres, normalised in
 * float64 and rounded to fixed point (half away from 0).
 *
 * Source: Pillow, src/libImaging/Resample.c (`precompute_coeffs`, `normalize_coeffs_8bpc`).
 *
 * @param inSize samples of the input axis
 * @param from first edge of the box on the input axis, fractions allowed
 * @param to last edge
 * @param outSize samples of the output axis
 */
export function computeCoefficients(
  inSize: number,
  from: number,
  to: number,
  outSize: number,
  filter: Filter,
): Coefficients {
  // Pillow holds the box in float32
  const start = Math.fround(from);
  const scale = Math.fround(Math.fround(to) - start) / outSize;
  const filterScale = Math.max(1, scale);
  const support = filter.support * filterScale;
  const taps = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outSize);
  const count = new Int32Array(outSize);
  const weights = new Int32Array(outSize * taps);
  const row = new Float64Array(taps);
  const inverse = 1 / filterScale;
  for (let out = 0; out < outSize; out += 1) {
    const center = start + (out + 0.5) * scale;
    const min = Math.max(0, Math.trunc(center - support + 0.5));
    const max = Math.min(inSize, Math.trunc(center + support + 0.5));
    let sum = 0;
    for (let x = 0; x < max - min; x += 1) {
      const weight = filter.weight((x + min - center + 0.5) * inverse);
      row[x] = weight;
      sum += weight;
    }
    first[out] = min;
    count[out] = max - min;
    for (let x = 0; x < max - min; x += 1) {
      const weight = row[x] ?? 0;
      const normal = sum === 0 ? weight : weight / sum;
      weights[out * taps + x] = Math.trunc((normal < 0 ? -0.5 : 0.5) + normal * (1 << PRECISION_BITS));
    }
  }
  return { taps, first, count, weights };
}
