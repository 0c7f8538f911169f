import type { Node } from "../onnx/graph.ts";
import type { Tensor } from "../onnx/tensor.ts";
import type { Activation, Strided } from "./steps.ts";

/**
 * What a name of the graph stands for while the graph is walked once. Only views exist in memory; the others wait to see what
 * they become part of: an epilogue, an attention, a normalisation. All are pure, so one that is used twice may be made twice.
 */
export type Value = Constant | View | Linear | Mapped | Scores | Normal;

export interface Constant {
  readonly kind: "constant";
  readonly tensor: Tensor;
}

export interface View extends Strided {
  readonly kind: "view";
}

/** A product that is still open for bias, activation and residual. */
export interface Linear {
  readonly kind: "linear";
  readonly node: Node;
  readonly dims: readonly number[];
  readonly x: View;
  readonly k: number;
  readonly n: number;
  readonly weight: Float32Array;
  readonly bias: Float32Array | null;
  readonly activation: Activation;
  readonly residual: View | null;
}

/** f(base), element by element; f may be any chain of operators on single numbers. */
export interface Mapped {
  readonly kind: "mapped";
  readonly node: Node;
  readonly dims: readonly number[];
  readonly base: View | Linear;
  readonly f: (x: number) => number;
}

/** scale q k^T, before or after softmax. */
export interface Scores {
  readonly kind: "scores";
  readonly node: Node;
  readonly dims: readonly number[];
  /** [heads, tq, d] and [heads, tk, d] */
  readonly q: View;
  readonly k: View;
  readonly scale: number;
  readonly softmax: boolean;
}

/** A LayerNorm that is written out: mean, x - mean, its square, variance, deviation, quotient. */
export interface Normal {
  readonly kind: "normal";
  readonly node: Node;
  readonly dims: readonly number[];
  readonly stage: "mean" | "centred" | "square" | "variance" | "deviation" | "inverse" | "done";
  readonly base: View;
  readonly eps: number;
  readonly gamma: Float32Array | null;
  readonly beta: Float32Array | null;
}

export function dimsOf(value: Value): readonly number[] {
  return value.kind === "constant" ? value.tensor.dims : value.dims;
}
