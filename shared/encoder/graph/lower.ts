import type { Graph, GraphInput, Node } from "../onnx/graph.ts";
import { DATA_TYPES, elements, isFloat } from "../onnx/tensor.ts";
import { definition } from "./activation.ts";
import { product, whole } from "./attention-rules.ts";
import { axisOf, float, int, ints } from "./attributes.ts";
import { Builder } from "./builder.ts";
import { binary, unary } from "./elementwise-rules.ts";
import { constant, fold } from "./fold.ts";
import { conv, floats, gemm, matMul } from "./linear-rules.ts";
import { averagePool, reduceMean } from "./pooling-rules.ts";
import { BINARY, UNARY } from "./scalar-functions.ts";
import { moved, reshaped, split, type Numbers } from "./shape-rules.ts";
import type { Steps } from "./steps.ts";
import { broadcast, reshapeStrides, sameDims } from "./strides.ts";
import { unsupported, UnsupportedGraph } from "./unsupported.ts";
import { dimsOf, type Constant, type Value, type View } from "./value.ts";

const PIXELS = "pixel_values";
const FEATURES = "image_features";
/** Masks that say which pixels are a picture: with tiles that fill their frame, all of them. */
const MASKS: ReadonlySet<string> = new Set(["pixel_attention_mask"]);

/** Activations that exporters and onnxruntime's optimiser write as one operator; a second input is a bias before it. */
const ACTIVATIONS: Readonly<Record<string, (node: Node) => (x: number) => number>> = {
  Gelu: ({ attributes }) => definition(attributes.get("approximate")?.s === "tanh" ? "gelu_tanh" : "gelu"),
  "com.microsoft.Gelu": () => definition("gelu"),
  "com.microsoft.BiasGelu": () => definition("gelu"),
  "com.microsoft.FastGelu": () => definition("gelu_tanh"),
  "com.microsoft.QuickGelu": (node) => {
    const alpha = float(node, "alpha", 1.702);
    return (x) => x / (1 + Math.exp(-alpha * x));
  },
};

type Values = readonly (Value | null)[];

/** Free dimensions count pictures or tiles: the program does one at a time. */
function boundDims(input: GraphInput): number[] {
  return input.dims.map((dim) => (typeof dim === "number" ? dim : 1));
}

function wrap(tensors: ReturnType<typeof fold>): Constant[] | null {
  return tensors?.map((tensor) => ({ kind: "constant", tensor })) ?? null;
}

/** onnxruntime's SkipLayerNormalization where it names none. */
const SKIP_EPSILON = 1e-12;
/** From here on Softmax is over the last axis where it names none, and over one axis alone. */
const OPSET_OF_ONE_AXIS = 13;

class Lowering {
  readonly builder = new Builder();
  readonly #opset: number;

  constructor(opset: number) {
    this.#opset = opset;
  }

  /** The outputs of one node. */
  apply(node: Node, inputs: Values): readonly Value[] {
    const [a, b, c] = inputs;
    if (node.op === "Shape" && a) return [shapeOf(node, a)];
    if (inputs.every((input) => input === null || input.kind === "constant")) {
      const folded = wrap(
        fold(
          node,
          inputs.map((input) => (input?.kind === "constant" ? input.tensor : null)),
        ),
      );
      if (folded === null) throw unsupported(node, "of constants");
      return folded;
    }
    if (node.op === "Concat") return [this.#concat(node, inputs)];
    if (node.op === "Where" && a?.kind === "constant" && b && c) return [chosen(node, a, b, c)];
    if (!a) throw unsupported(node, "no input");
    if (node.op === "com.microsoft.SkipLayerNormalization") return this.#skipLayerNorm(node, inputs);
    const moves = this.#move(node, a, inputs);
    return moves ?? [this.#compute(node, a, b ?? null, inputs)];
  }

  /** Reshape, Transpose, Slice, Split...: new views of the same floats, copied only where no stride describes the result. */
  #move(node: Node, a: Value, inputs: Values): readonly Value[] | null {
    const numbers: Numbers = (index) => {
      const input = inputs[index];
      if (!input) return null;
      if (input.kind !== "constant") throw unsupported(node, "a shape or index that depends on the picture");
      return [...input.tensor.data];
    };
    // Half precision was the exporter's choice of storage; here all between products is f32.
    if (node.op === "Identity" || (node.op === "Cast" && isFloat(int(node, "to", 0)))) return [a];
    const dims = node.op === "Expand" ? expanded(node, dimsOf(a), numbers) : reshaped(node, dimsOf(a), numbers);
    if (dims !== null && sameDims(dims, dimsOf(a))) return [a];
    if (dims !== null) {
      const view = this.builder.view(a, node);
      const strides = reshapeStrides(view.dims, view.strides, dims);
      if (strides !== null) return [{ ...view, dims, strides }];
      const rows = this.builder.rows(view, node);
      return [{ ...rows, dims, strides: reshapeStrides(rows.dims, rows.strides, dims) ?? [] }];
    }
    if (node.op === "Transpose" && a.kind === "mapped" && !this.builder.exists(a)) {
      // An elementwise chain commutes with a move: it stays open, e.g. as the scale of attention.
      const view = moved(node, this.builder.view(a.base, node), numbers, null);
      const base: View = { ...this.builder.view(a.base, node), ...view };
      return [{ ...a, dims: base.dims, base }];
    }
    if (node.op === "Split") {
      const view = this.builder.view(a, node);
      return split(node, view, numbers).map((part) => ({ ...view, ...part }));
    }
    if (node.op !== "Transpose" && node.op !== "Slice" && node.op !== "Gather") return null;
    const view = this.builder.view(a, node);
    const index = inputs[1]?.kind === "constant" ? inputs[1].tensor.dims : null;
    const result = moved(node, view, numbers, index);
    if (result === null) throw unsupported(node, "indices that do not follow each other");
    return [{ ...view, ...result }];
  }

  #compute(node: Node, a: Value, b: Value | null, inputs: Values): Value {
    const activation = ACTIVATIONS[node.op];
    if (activation !== undefined) return unary(node, b === null ? a : this.#sum(node, a, b), activation(node));
    switch (node.op) {
      case "MatMul":
        if (b?.kind === "constant") return matMul(node, this.builder, a, b.tensor);
        if (b === null || a.kind === "constant") throw unsupported(node, "a constant on the left");
        return product(node, this.builder, a, b);
      case "Gemm":
        if (b?.kind !== "constant") throw unsupported(node, "no constant on the right");
        return gemm(node, this.builder, a, b.tensor, bias(node, inputs[2]));
      case "Conv":
        if (b?.kind !== "constant") throw unsupported(node, "no constant kernel");
        return conv(node, this.builder, a, b.tensor, bias(node, inputs[2]));
      case "LayerNormalization":
        return this.#layerNorm(node, a, b, bias(node, inputs[2]), 1e-5);
      case "Softmax":
        return this.#softmax(node, a);
      case "Attention":
      case "com.microsoft.MultiHeadAttention":
        return whole(node, this.builder, inputs);
      case "ReduceMean": {
        const given = inputs[1]?.kind === "constant" ? [...inputs[1].tensor.data] : ints(node, "axes");
        return reduceMean(node, this.builder, a, given);
      }
      case "AveragePool":
        return averagePool(node, this.builder, a);
      case "Sqrt":
        if (a.kind === "normal" && a.stage === "variance") return { ...a, node, stage: "deviation" };
        break;
      case "Reciprocal":
        if (a.kind === "normal" && a.stage === "deviation") return { ...a, node, stage: "inverse" };
        break;
    }
    const one = UNARY[node.op];
    if (one !== undefined) return unary(node, a, one);
    if (BINARY[node.op] !== undefined && inputs.length > 2) throw unsupported(node, "more than two inputs");
    if (b !== null) return binary(node, this.builder, a, b);
    throw unsupported(node, "not among the operators of the runtime");
  }

  #softmax(node: Node, a: Value): Value {
    const rank = dimsOf(a).length;
    const axis = axisOf(int(node, "axis", this.#opset < OPSET_OF_ONE_AXIS ? 1 : -1), rank);
    if (a.kind !== "scores" || a.softmax || axis !== rank - 1)
      throw unsupported(node, "of what are no scores of attention");
    return { ...a, node, softmax: true };
  }

  #layerNorm(node: Node, a: Value, scale: Value | null, shift: Constant["tensor"] | null, eps: number): View {
    const rank = dimsOf(a).length;
    if (scale?.kind !== "constant" || axisOf(int(node, "axis", -1), rank) !== rank - 1)
      throw unsupported(node, "over more than the last dimension");
    const gamma = floats(scale.tensor);
    const beta = shift === null ? new Float32Array(gamma.length) : floats(shift);
    return this.builder.layerNorm(a, gamma, beta, float(node, "epsilon", eps), node);
  }

  #sum(node: Node, a: Value, b: Value): Value {
    return binary({ ...node, op: "Add" }, this.builder, a, b);
  }

  /** Input, skip, gamma, beta, bias -> the LayerNorm of their sum and, as fourth output, the sum. */
  #skipLayerNorm(node: Node, [a, skip, gamma, beta, third]: Values): readonly Value[] {
    if (!a || !skip) throw unsupported(node, "missing inputs");
    if (node.outputs[1] || node.outputs[2]) throw unsupported(node, "its mean or deviation as an output");
    const added = this.#sum(node, a, skip);
    const sum = this.builder.view(third ? this.#sum(node, added, third) : added, node);
    const normal = this.#layerNorm(node, sum, gamma ?? null, bias(node, beta), SKIP_EPSILON);
    return [normal, normal, normal, sum];
  }

  #concat(node: Node, inputs: Values): View {
    const parts = inputs.filter((input) => input !== null);
    const [first] = parts;
    if (first === undefined) throw unsupported(node, "no inputs");
    const axis = axisOf(int(node, "axis", 0), dimsOf(first).length);
    const size = parts.reduce((sum, part) => sum + (dimsOf(part)[axis] ?? 0), 0);
    const out = this.builder.fresh(dimsOf(first).map((dim, i) => (i === axis ? size : dim)));
    let start = 0;
    for (const part of parts) {
      const view = this.builder.view(part, node);
      const offset = start * (out.strides[axis] ?? 0);
      this.builder.copy(view, { ...out, offset, dims: view.dims }, node);
      start += view.dims[axis] ?? 0;
    }
    return out;
  }
}

function shapeOf(node: Node, value: Value): Constant {
  const dims = dimsOf(value);
  const part = dims.slice(int(node, "start", 0), node.attributes.has("end") ? int(node, "end", 0) : undefined);
  return { kind: "constant", tensor: constant(DATA_TYPES.int64, [part.length], part) };
}

/** An input that has to be constant where it is there. */
function bias(node: Node, value: Value | null | undefined): Constant["tensor"] | null {
  if (value === null || value === undefined) return null;
  if (value.kind !== "constant") throw unsupported(node, "a bias that depends on the picture");
  return value.tensor;
}

function expanded(node: Node, dims: readonly number[], numbers: Numbers): number[] {
  const to = broadcast(dims, numbers(1) ?? []);
  if (to === null || elements(to) !== elements(dims)) throw unsupported(node, "repeats what depends on the picture");
  return to;
}

function chosen(node: Node, condition: Constant, yes: Value, no: Value): Value {
  const [first] = condition.tensor.data;
  if (!condition.tensor.data.every((value) => value === first)) throw unsupported(node, "a mask with holes");
  const value = first ? yes : no;
  const inner = broadcast(dimsOf(yes), dimsOf(no));
  const dims = inner === null ? null : broadcast(condition.tensor.dims, inner);
  if (dims === null || !sameDims(dims, dimsOf(value))) throw unsupported(node, "repeats what it chooses");
  return value;
}

/** Only what the output needs: exporters leave branches behind that nobody reads. */
function needed(graph: Graph, output: string): ReadonlySet<Node> {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const found = new Set<Node>();
  const pending = [output];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const node = makers.get(name);
    if (node === undefined || found.has(node)) continue;
    found.add(node);
    pending.push(...node.inputs);
  }
  return found;
}

/**
 * An encoder graph with its projector as steps for one picture or tile. Throws UnsupportedGraph with node and operator for
 * what the runtime lacks. Constants are folded on the way; what depends on shapes alone is a constant.
 */
export function lower(graph: Graph): Steps {
  const lowering = new Lowering(graph.opset);
  const { builder } = lowering;
  const values = new Map<string, Value>();
  const assumedTrue: string[] = [];
  let input: Steps["input"] | null = null;
  for (const [name, tensor] of graph.initializers) values.set(name, { kind: "constant", tensor });
  for (const given of graph.inputs) {
    const dims = boundDims(given);
    if (given.name === PIXELS && given.dtype === DATA_TYPES.float && dims.at(-1) !== 1) {
      const view = builder.fresh(dims);
      const first = dims.findIndex((dim) => dim !== 1);
      input = { buffer: view.buffer, dims: dims.slice(first) };
      values.set(given.name, view);
    } else if (MASKS.has(given.name)) {
      assumedTrue.push(given.name);
      const ones = new Float64Array(elements(dims)).fill(1);
      values.set(given.name, { kind: "constant", tensor: { dtype: given.dtype, dims, data: ones } });
    } else throw new UnsupportedGraph(`Input ${given.name} [${given.dims.join(", ")}]: not known to the runtime`);
  }
  if (input === null) throw new UnsupportedGraph(`The graph has no input ${PIXELS} in float32.`);
  const [output = ""] = graph.outputs.includes(FEATURES) ? [FEATURES] : graph.outputs;
  const wanted = needed(graph, output);
  for (const node of graph.nodes) {
    if (!wanted.has(node)) continue;
    const inputs = node.inputs.map((name) => {
      if (name === "") return null;
      const value = values.get(name);
      if (value === undefined) throw unsupported(node, `its input ${name} is made nowhere before it`);
      return value;
    });
    for (const [i, value] of lowering.apply(node, inputs).entries()) {
      const name = node.outputs[i];
      if (name !== undefined) values.set(name, value);
    }
  }
  const result = values.get(output);
  const last = graph.nodes.at(-1);
  if (result === undefined || result.kind === "constant" || last === undefined)
    throw new UnsupportedGraph("The output does not depend on the picture.");
  const slot = builder.rows(result, last);
  const width = slot.dims.at(-1) ?? 0;
  if (elements(slot.dims) === 0) throw new UnsupportedGraph("The output has no elements.");
  return { steps: builder.steps, input, output: { slot, rows: elements(slot.dims) / width, width }, assumedTrue };
}
