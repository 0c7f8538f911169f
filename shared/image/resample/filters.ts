/** Pillow's `Image.Resampling`, as the numbers that `resample` holds in a `preprocessor_config.json`. */
export const Resampling = { NEAREST: 0, LANCZOS: 1, BILINEAR: 2, BICUBIC: 3, BOX: 4, HAMMING: 5 } as const;
export type Resampling = (typeof Resampling)[keyof typeof Resampling];

/** A resampling kernel: weight at a distance from its centre, and the distance beyond which it is 0. */
export interface Filter {
  readonly support: number;
  readonly weight: (x: number) => number;
}

function sinc(x: number): number {
  if (x === 0) return 1;
  const px = x * Math.PI;
  return Math.sin(px) / px;
}

/** Keys' cubic with a = -0.5. */
function bicubic(x: number): number {
  const a = -0.5;
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return (((d - 5) * d + 8) * d - 4) * a;
  return 0;
}

/** Pillow writes the two constants of the window in float32. */
const HAMMING_A = Math.fround(0.54);
const HAMMING_B = Math.fround(0.46);

function hamming(x: number): number {
  const d = Math.abs(x);
  if (d === 0) return 1;
  if (d >= 1) return 0;
  const px = d * Math.PI;
  return (Math.sin(px) / px) * (HAMMING_A + HAMMING_B * Math.cos(px));
}

/** Source: Pillow, src/libImaging/Resample.c. Every operation in the same order, in float64. */
export const FILTERS: Readonly<Record<Exclude<Resampling, 0>, Filter>> = {
  [Resampling.BOX]: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  [Resampling.BILINEAR]: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  [Resampling.HAMMING]: { support: 1, weight: hamming },
  [Resampling.BICUBIC]: { support: 2, weight: bicubic },
  [Resampling.LANCZOS]: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};
