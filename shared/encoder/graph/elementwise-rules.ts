import { constant } from "./fold.ts";
import type { Node } from "../onnx/graph.ts";
import { DATA_TYPES, elements, type Tensor } from "../onnx/tensor.ts";
import { int } from "./attributes.ts";
import { requireLanes, type Builder } from "./builder.ts";
import { absorb, floats } from "./linear-rules.ts";
import { BINARY } from "./scalar-functions.ts";
import { broadcast, broadcastStrides, sameDims, walk } from "./strides.ts";
import { unsupported } from "./unsupported.ts";
import { dimsOf, type Constant, type Linear, type Mapped, type Normal, type Value, type View } from "./value.ts";

const identity = (x: number): number => x;

/** A value as a function of one base, where it is one. */
function asMapped(value: Value, node: Node): Mapped | null {
  if (value.kind === "mapped") return value;
  if (value.kind !== "view" && value.kind !== "linear") return null;
  return { kind: "mapped", node, dims: value.dims, base: value, f: identity };
}

export function unary(node: Node, value: Value, f: (x: number) => number): Mapped {
  const mapped = asMapped(value, node);
  if (mapped === null) throw unsupported(node, `of what is still ${value.kind}`);
  const inner = mapped.f;
  return { ...mapped, node, f: (x) => f(inner(x)) };
}

/** The stages of a written-out LayerNorm; null when the operator is no part of one. */
function normal(node: Node, builder: Builder, a: Value, b: Value): Normal | null {
  const scalar = b.kind === "constant" && b.tensor.data.length === 1 ? (b.tensor.data[0] ?? NaN) : null;
  if (
    node.op === "Sub" &&
    b.kind === "normal" &&
    b.stage === "mean" &&
    a.kind !== "normal" &&
    builder.view(a, node) === b.base
  )
    return { ...b, node, dims: dimsOf(a), stage: "centred" };
  if (a.kind !== "normal") return null;
  if (a.stage === "centred") {
    if ((node.op === "Pow" && scalar === 2) || (node.op === "Mul" && a === b)) return { ...a, node, stage: "square" };
    const of = b.kind === "normal" && b.base === a.base ? b.stage : null;
    if ((node.op === "Div" && of === "deviation") || (node.op === "Mul" && of === "inverse"))
      return { ...a, node, stage: "done", eps: b.kind === "normal" ? b.eps : 0 };
  }
  if (a.stage === "variance" && node.op === "Add" && scalar !== null) return { ...a, node, eps: a.eps + scalar };
  if (a.stage === "done" && b.kind === "constant") {
    const values = floats(b.tensor);
    const width = a.dims.at(-1);
    if (values.length !== width || b.tensor.dims.at(-1) !== width || b.tensor.dims.length > a.dims.length) return null;
    if (node.op === "Mul" && a.gamma === null && a.beta === null) return { ...a, node, gamma: values };
    if (node.op === "Add" && a.beta === null) return { ...a, node, beta: values };
  }
  return null;
}

/** A constant in the shape that the other side needs: one row that repeats, or all of it. */
function repeated(tensor: Tensor, dims: readonly number[]): Float32Array {
  const data = floats(tensor);
  const trimmed = tensor.dims.slice(tensor.dims.findIndex((dim) => dim !== 1));
  const tail = dims.slice(dims.length - trimmed.length);
  if (trimmed.every((dim, i) => dim === tail[i])) return data;
  const result = constant(DATA_TYPES.float, dims).data;
  walk(dims, broadcastStrides(tensor.dims, dims), 0, (from, to) => (result[to] = data[from] ?? 0));
  return floats({ ...tensor, data: result });
}

function combine(node: Node, builder: Builder, a: Value, b: Value, multiply: boolean): View {
  const dims = broadcast(dimsOf(a), dimsOf(b));
  if (dims === null || elements(dims) !== elements(dimsOf(a))) throw unsupported(node, "shapes that do not broadcast");
  const left = builder.rows(a, node);
  const count = requireLanes(elements(dims), node);
  let right: View;
  if (b.kind === "constant") {
    const data = repeated(b.tensor, dims);
    right = { kind: "view", buffer: builder.constant(data), offset: 0, dims: [data.length], strides: [1] };
  } else {
    right = builder.rows(b, node);
    const trimmed = right.dims.slice(right.dims.findIndex((dim) => dim !== 1));
    if (!trimmed.every((dim, i) => dim === dims[dims.length - trimmed.length + i]))
      throw unsupported(node, "a broadcast in the middle");
  }
  const period = requireLanes(elements(right.dims), node);
  const out = builder.fresh(dims);
  builder.steps.push({ kind: "combine", a: left, b: right, out, count, period, multiply });
  return out;
}

/** x + y where x is a product that is still open: y becomes its residual. */
function residual(node: Node, builder: Builder, linear: Linear, other: Value): Linear | null {
  if (linear.residual !== null || builder.exists(linear)) return null;
  const dims = broadcast(dimsOf(other), linear.dims);
  if (dims === null || elements(dims) !== elements(linear.dims) || elements(dims) !== elements(dimsOf(other)))
    return null;
  return { ...linear, dims, residual: builder.rows(other, node) };
}

function withScalar(node: Node, builder: Builder, a: Value, b: Value, value: number, flipped: boolean): Value {
  const f = BINARY[node.op] ?? identity;
  if (a.kind === "scores") {
    if (!a.softmax && node.op === "Mul") return { ...a, scale: a.scale * value };
    if (!a.softmax && node.op === "Div" && !flipped) return { ...a, scale: a.scale / value };
    if (node.op === "Add" && value === 0) return a;
    throw unsupported(node, "on scores of attention");
  }
  const part = flipped ? null : normal(node, builder, a, b);
  if (part !== null) return part;
  // 1 / deviation, which then multiplies.
  if (a.kind === "normal" && a.stage === "deviation" && node.op === "Div" && flipped && value === 1)
    return { ...a, node, stage: "inverse" };
  return unary(node, a, flipped ? (x) => f(value, x) : (x) => f(x, value));
}

/** A mask or bias that leaves scores as they are, in value and shape. */
function leaves(scores: Value, { data, dims }: Tensor): boolean {
  const to = broadcast(dims, dimsOf(scores));
  return to !== null && sameDims(to, dimsOf(scores)) && data.every((value) => value === 0);
}

/** Add, Sub, Mul, Div, Pow, Min, Max of values of which at least one depends on the picture. */
export function binary(node: Node, builder: Builder, a: Value, b: Value): Value {
  const f = BINARY[node.op];
  if (f === undefined) throw unsupported(node, "not among the operators of the runtime");
  if (int(node, "fmod", 0) !== 0) throw unsupported(node, "fmod");
  if (b.kind === "constant" && b.tensor.data.length === 1 && b.tensor.dims.length <= dimsOf(a).length)
    return withScalar(node, builder, a, b, b.tensor.data[0] ?? NaN, false);
  if (a.kind === "constant" && a.tensor.data.length === 1 && a.tensor.dims.length <= dimsOf(b).length)
    return withScalar(node, builder, b, a, a.tensor.data[0] ?? NaN, true);
  const part = normal(node, builder, a, b) ?? (node.op === "Sub" ? null : normal(node, builder, b, a));
  if (part !== null) return part;
  const [x, y] = [asMapped(a, node), asMapped(b, node)];
  if (x !== null && y !== null && x.base === y.base && sameDims(x.dims, y.dims)) {
    const [left, right] = [x.f, y.f];
    return { ...x, node, f: (value) => f(left(value), right(value)) };
  }
  if (a.kind === "constant" && (node.op === "Add" || node.op === "Mul")) return withConstant(node, builder, b, a);
  if (b.kind === "constant") return withConstant(node, builder, a, b);
  if (node.op === "Add") {
    if (b.kind === "linear") {
      const fused = residual(node, builder, b, a);
      if (fused !== null) return fused;
    }
    if (a.kind === "linear") {
      const fused = residual(node, builder, a, b);
      if (fused !== null) return fused;
    }
  }
  if (node.op !== "Add" && node.op !== "Mul") throw unsupported(node, "of two values that both depend on the picture");
  return elements(dimsOf(a)) >= elements(dimsOf(b))
    ? combine(node, builder, a, b, node.op === "Mul")
    : combine(node, builder, b, a, node.op === "Mul");
}

function withConstant(node: Node, builder: Builder, value: Value, other: Constant): Value {
  const { tensor } = other;
  const apply = (op: "Add" | "Mul", data: Float32Array): Value => {
    const operand: Constant = { kind: "constant", tensor: { ...tensor, dtype: DATA_TYPES.float, data } };
    if (value.kind === "scores") {
      if (op === "Add" && leaves(value, operand.tensor)) return value;
      throw unsupported(node, "a mask or bias on scores of attention");
    }
    if (value.kind === "linear" && !builder.exists(value)) {
      const absorbed = absorb(value, op, operand.tensor);
      if (absorbed !== null) return absorbed;
      if (op === "Add" && tensor.data.length === elements(value.dims)) {
        const fused = residual(node, builder, value, operand);
        if (fused !== null) return fused;
      }
    }
    return combine(node, builder, value, operand, op === "Mul");
  };
  const data = floats(tensor);
  if (node.op === "Add") return apply("Add", data);
  if (node.op === "Mul") return apply("Mul", data);
  if (node.op === "Sub")
    return apply(
      "Add",
      data.map((x) => -x),
    );
  if (node.op === "Div")
    return apply(
      "Mul",
      data.map((x) => 1 / x),
    );
  throw unsupported(node, "with a constant tensor");
}
