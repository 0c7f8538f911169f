/** What the compiler makes of a graph: a list of steps over buffers of floats, before weights are quantised or placed. */

/** Floats that a step writes, or a constant. Written in full before the first step that reads it, never changed after. */
export interface Buffer {
  readonly id: number;
  readonly elements: number;
  readonly constant: Float32Array | null;
}

/** A place in a buffer: `offset` in elements. What a step reads from there stands row-major. */
export interface Slot {
  readonly buffer: Buffer;
  readonly offset: number;
}

/** Elements of a buffer in any order: `strides` and `offset` in elements. */
export interface Strided extends Slot {
  readonly dims: readonly number[];
  readonly strides: readonly number[];
}

export const ACTIVATIONS = {
  none: 0,
  gelu: 1,
  gelu_tanh: 2,
  quick_gelu: 3,
  silu: 4,
  relu: 5,
  tanh: 6,
  sigmoid: 7,
} as const;
export type Activation = keyof typeof ACTIVATIONS;

/** out [rows, n] = activation(x [rows, k] x weight [k, n] + bias [n]) + residual [rows, n]. */
export interface LinearStep {
  readonly kind: "linear";
  /** The graph's name of it: what the gate and `fovea plan` report. */
  readonly name: string;
  readonly x: Slot;
  readonly out: Slot;
  readonly rows: number;
  readonly k: number;
  readonly n: number;
  readonly weight: Float32Array;
  readonly bias: Float32Array | null;
  readonly activation: Activation;
  readonly residual: Slot | null;
  /** Only `n` columns of `weight`, which has `of`, from `first` on. */
  readonly columns?: { readonly first: number; readonly of: number };
}

/** Over the last dimension of [rows, columns]. */
export interface LayerNormStep {
  readonly kind: "layer_norm";
  readonly from: Slot;
  readonly out: Slot;
  readonly gamma: Slot;
  readonly beta: Slot;
  readonly rows: number;
  readonly columns: number;
  readonly eps: number;
}

/** softmax(scale q k^T) v; q, out [heads, tq, d], k, v [heads, tk, d], the last stride 1. */
export interface AttentionStep {
  readonly kind: "attention";
  readonly q: Strided;
  readonly k: Strided;
  readonly v: Strided;
  readonly out: Strided;
  readonly scale: number;
}

/** out[i] = a[i] (+ or x) b[i % period]. */
export interface CombineStep {
  readonly kind: "combine";
  readonly a: Slot;
  readonly b: Slot;
  readonly out: Slot;
  readonly count: number;
  readonly period: number;
  readonly multiply: boolean;
}

/** out = activation(x scale + shift). */
export interface MapStep {
  readonly kind: "map";
  readonly from: Slot;
  readonly out: Slot;
  readonly count: number;
  readonly scale: number;
  readonly shift: number;
  readonly activation: Activation;
}

/** [groups, rows, columns] -> [groups, columns]. */
export interface MeanStep {
  readonly kind: "mean";
  readonly from: Slot;
  readonly out: Slot;
  readonly groups: number;
  readonly rows: number;
  readonly columns: number;
}

/** Both have the same dims, at most five. */
export interface CopyStep {
  readonly kind: "copy";
  readonly from: Strided;
  readonly out: Strided;
}

export type Step = LinearStep | LayerNormStep | AttentionStep | CombineStep | MapStep | MeanStep | CopyStep;

export interface Steps {
  readonly steps: readonly Step[];
  /** pixel_values of one picture or tile, f32 row-major, without the dimensions that count pictures. */
  readonly input: { readonly buffer: Buffer; readonly dims: readonly number[] };
  /** image_features f32 [rows, width]. */
  readonly output: { readonly slot: Slot; readonly rows: number; readonly width: number };
  /** Inputs of the graph that were taken as all true; the runtime refuses others. */
  readonly assumedTrue: readonly string[];
}
