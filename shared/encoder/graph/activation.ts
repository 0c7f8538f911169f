import { erf } from "./scalar-functions.ts";
import type { Activation } from "./steps.ts";

/**
 * Which function a chain of operators is, by its values: an exporter writes GELU in a dozen ways, but they all have the
 * same graph on paper. erf-GELU and tanh-GELU differ by 5e-4, so the tolerance tells all apart.
 */
const TOLERANCE = 2e-6;
/**
 * Where activations bend, on no lattice that a rounding could share, and from 1e-3 to 1e6 on both sides, so that a clamp is met
 * wherever it stands.
 */
const SAMPLES = [
  ...Array.from({ length: 97 }, (_, i) => ((i - 48) * Math.SQRT2) / 11),
  ...Array.from({ length: 80 }, (_, i) => 1e-3 * 1.3 ** i).flatMap((x) => [x, -x]),
];

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

const DEFINITIONS: Readonly<Record<Exclude<Activation, "none">, (x: number) => number>> = {
  gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  gelu_tanh: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  quick_gelu: (x) => x * sigmoid(1.702 * x),
  silu: (x) => x * sigmoid(x),
  relu: (x) => Math.max(x, 0),
  tanh: Math.tanh,
  sigmoid,
};

export function definition(activation: Exclude<Activation, "none">): (x: number) => number {
  return DEFINITIONS[activation];
}

function equal(f: (x: number) => number, g: (x: number) => number): boolean {
  return SAMPLES.every((x) => Math.abs(f(x) - g(x)) <= TOLERANCE * Math.max(1, Math.abs(g(x))));
}

export interface Recognised {
  readonly scale: number;
  readonly shift: number;
  readonly activation: Activation;
}

/** f as activation(scale x + shift), where the activation is none or both of the others are trivial; null when it is neither. */
export function recognise(f: (x: number) => number): Recognised | null {
  const shift = f(0);
  const scale = f(1) - shift;
  if (Number.isFinite(shift) && equal(f, (x) => scale * x + shift)) return { scale, shift, activation: "none" };
  for (const [name, g] of Object.entries(DEFINITIONS)) {
    if (equal(f, g)) return { scale: 1, shift: 0, activation: name as Activation };
  }
  return null;
}
