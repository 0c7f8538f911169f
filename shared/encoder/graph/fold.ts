import { MAX_FOLDED_ELEMENTS } from "../../limits/encoder.ts";
import type { Node } from "../onnx/graph.ts";
import { DATA_TYPES, elements, isFloat, type Tensor } from "../onnx/tensor.ts";
import { autoPadded, axisOf, dilated, float, int, ints } from "./attributes.ts";
import { BINARY, COMPARES, UNARY } from "./scalar-functions.ts";
import { moved, reshaped, split, type Moved, type Numbers } from "./shape-rules.ts";
import { broadcast, broadcastStrides, rowMajor, walk } from "./strides.ts";
import { unsupported, UnsupportedGraph } from "./unsupported.ts";

type Inputs = readonly (Tensor | null)[];

export function constant(dtype: number, dims: readonly number[], values?: Iterable<number>): Tensor {
  const count = elements(dims);
  if (!(count <= MAX_FOLDED_ELEMENTS)) throw new UnsupportedGraph(`A constant of ${count} elements is too large.`);
  const data = dtype === DATA_TYPES.float ? new Float32Array(count) : new Float64Array(count);
  if (values !== undefined) data.set([...values]);
  return { dtype, dims, data };
}

function take(from: Tensor, { dims, strides, offset }: Moved): Tensor {
  const result = constant(from.dtype, dims);
  walk(dims, strides, offset, (source, to) => (result.data[to] = from.data[source] ?? 0));
  return result;
}

/** Integer division drops the fraction; other integer results are integers anyway. */
function elementwise(node: Node, a: Tensor, b: Tensor): Tensor {
  const f = BINARY[node.op];
  const dims = broadcast(a.dims, b.dims);
  if (f === undefined || dims === null) throw unsupported(node, "constant shapes that do not broadcast");
  if (int(node, "fmod", 0) !== 0) throw unsupported(node, "fmod");
  const result = constant(COMPARES.has(node.op) ? DATA_TYPES.bool : a.dtype, dims);
  const [sa, sb] = [broadcastStrides(a.dims, dims), broadcastStrides(b.dims, dims)];
  const whole = node.op === "Div" && !isFloat(a.dtype);
  const left = new Float64Array(elements(dims));
  walk(dims, sa, 0, (from, to) => (left[to] = a.data[from] ?? 0));
  walk(dims, sb, 0, (from, to) => {
    const value = f(left[to] ?? 0, b.data[from] ?? 0);
    result.data[to] = whole ? Math.trunc(value) : value;
  });
  return result;
}

function where(node: Node, [condition, yes, no]: Inputs): Tensor {
  if (!condition || !yes || !no) throw unsupported(node, "inputs");
  const inner = broadcast(yes.dims, no.dims);
  const dims = inner === null ? null : broadcast(condition.dims, inner);
  if (dims === null) throw unsupported(node, "constant shapes that do not broadcast");
  const expand = (t: Tensor): Tensor => take(t, { dims, strides: broadcastStrides(t.dims, dims), offset: 0 });
  const [c, a, b] = [expand(condition), expand(yes), expand(no)];
  const result = constant(yes.dtype, dims);
  for (let i = 0; i < c.data.length; i++) result.data[i] = (c.data[i] ? a.data[i] : b.data[i]) ?? 0;
  return result;
}

function gather(node: Node, from: Tensor, index: Tensor): Tensor {
  const axis = axisOf(int(node, "axis", 0), from.dims.length);
  const [outer, size, inner] = [
    elements(from.dims.slice(0, axis)),
    from.dims[axis] ?? 0,
    elements(from.dims.slice(axis + 1)),
  ];
  const result = constant(from.dtype, [...from.dims.slice(0, axis), ...index.dims, ...from.dims.slice(axis + 1)]);
  const count = index.data.length;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < count; i++) {
      const at = axisOf(index.data[i] ?? 0, size);
      if (!(at >= 0 && at < size)) throw unsupported(node, "an index out of range");
      const source = (o * size + at) * inner;
      result.data.set(from.data.subarray(source, source + inner), (o * count + i) * inner);
    }
  }
  return result;
}

function concat(node: Node, inputs: Inputs): Tensor {
  const parts = inputs.filter((part) => part !== null);
  const [first] = parts;
  if (first === undefined) throw unsupported(node, "no inputs");
  const axis = axisOf(int(node, "axis", 0), first.dims.length);
  const dims = first.dims.map((dim, i) => (i === axis ? parts.reduce((sum, p) => sum + (p.dims[axis] ?? 0), 0) : dim));
  const result = constant(first.dtype, dims);
  const outer = elements(dims.slice(0, axis));
  const whole = elements(dims.slice(axis));
  let start = 0;
  for (const part of parts) {
    const size = elements(part.dims.slice(axis));
    for (let o = 0; o < outer; o++) result.data.set(part.data.subarray(o * size, (o + 1) * size), o * whole + start);
    start += size;
  }
  return result;
}

function reduce(node: Node, from: Tensor, given: readonly number[] | null): Tensor {
  const axes = new Set((given ?? from.dims.map((_, i) => i)).map((axis) => axisOf(axis, from.dims.length)));
  const kept = from.dims.map((dim, i) => (axes.has(i) ? 1 : dim));
  const strides = rowMajor(kept).map((stride, i) => (axes.has(i) ? 0 : stride));
  const sums = new Float64Array(elements(kept));
  const targets = new Float64Array(from.data.length);
  walk(from.dims, strides, 0, (to, i) => (targets[i] = to));
  for (const [i, value] of from.data.entries()) sums[targets[i] ?? 0] = (sums[targets[i] ?? 0] ?? 0) + value;
  const share = node.op === "ReduceMean" ? sums.length / from.data.length : 1;
  const dims = int(node, "keepdims", 1) === 1 ? kept : kept.filter((_, i) => !axes.has(i));
  return constant(
    from.dtype,
    dims,
    sums.map((sum) => sum * share),
  );
}

/** MaxPool without padding over a constant [N, C, H, W]: how masks of pixels become masks of patches. */
function maxPool(node: Node, from: Tensor): Tensor {
  const [n = 0, c = 0, h = 0, w = 0] = from.dims;
  const [kh = 1, kw = 1] = ints(node, "kernel_shape") ?? [];
  const [sh = 1, sw = 1] = ints(node, "strides") ?? [];
  const padded = (ints(node, "pads") ?? []).some((pad) => pad !== 0) || autoPadded(node);
  if (from.dims.length !== 4 || padded || dilated(node) || int(node, "ceil_mode", 0) !== 0)
    throw unsupported(node, "padding or dilation");
  const [oh, ow] = [Math.floor((h - kh) / sh) + 1, Math.floor((w - kw) / sw) + 1];
  const result = constant(from.dtype, [n, c, oh, ow]);
  walk([n * c, oh, ow], [h * w, sh * w, sw], 0, (at, to) => {
    let most = -Infinity;
    for (let y = 0; y < kh; y++) for (let x = 0; x < kw; x++) most = Math.max(most, from.data[at + y * w + x] ?? 0);
    result.data[to] = most;
  });
  return result;
}

function dequantize(node: Node, [from, scale, zero]: Inputs): Tensor {
  if (!from || !scale) throw unsupported(node, "inputs");
  const axis = scale.data.length === 1 ? 0 : axisOf(int(node, "axis", 1), from.dims.length);
  const inner = elements(from.dims.slice(axis + 1));
  const size = scale.data.length === 1 ? 1 : scale.data.length;
  if ((size !== 1 && size !== from.dims[axis]) || int(node, "block_size", 0) !== 0)
    throw unsupported(node, "scales in blocks");
  const result = constant(DATA_TYPES.float, from.dims);
  for (const [i, value] of from.data.entries()) {
    const at = Math.floor(i / inner) % size;
    result.data[i] = (value - (zero?.data[at] ?? 0)) * (scale.data[at] ?? 0);
  }
  return result;
}

function cast(node: Node, from: Tensor): Tensor {
  const to = int(node, "to", DATA_TYPES.float);
  const value = (x: number): number => (to === DATA_TYPES.bool ? Number(x !== 0) : isFloat(to) ? x : Math.trunc(x));
  return constant(to, from.dims, Array.from(from.data, value));
}

function constantNode(node: Node): Tensor {
  const { attributes } = node;
  const tensor = attributes.get("value")?.t;
  if (tensor) return tensor;
  const [i, f] = [attributes.get("value_int"), attributes.get("value_float")];
  if (i) return constant(DATA_TYPES.int64, [], [i.i]);
  if (f) return constant(DATA_TYPES.float, [], [f.f]);
  const list = attributes.get("value_ints")?.ints;
  if (list) return constant(DATA_TYPES.int64, [list.length], list);
  const floats = attributes.get("value_floats")?.floats;
  if (floats) return constant(DATA_TYPES.float, [floats.length], floats);
  throw unsupported(node, "a constant of another kind");
}

function range(node: Node, [start, limit, delta]: Inputs): Tensor {
  const [from, to, step] = [start?.data[0] ?? 0, limit?.data[0] ?? 0, delta?.data[0] ?? 1];
  const count = Math.max(0, Math.ceil((to - from) / step));
  if (!(count <= MAX_FOLDED_ELEMENTS)) throw unsupported(node, "a range without end");
  return constant(
    start?.dtype ?? DATA_TYPES.int64,
    [count],
    Array.from({ length: count }, (_, i) => from + i * step),
  );
}

/** The outputs of a node whose inputs are all constant, or null when the operator is not among those that fold. */
export function fold(node: Node, inputs: Inputs): Tensor[] | null {
  const [a, b] = inputs;
  if (node.op === "Constant") return [constantNode(node)];
  if (node.op === "Range") return [range(node, inputs)];
  if (node.op === "Concat") return [concat(node, inputs)];
  if (node.op === "Where") return [where(node, inputs)];
  if (!a) return null;
  const numbers: Numbers = (index) => (inputs[index] ? [...inputs[index].data] : null);
  const dims = reshaped(node, a.dims, numbers);
  if (dims !== null) return [{ ...a, dims }];
  const whole: Moved = { dims: a.dims, strides: rowMajor(a.dims), offset: 0 };
  if (node.op === "Split") return split(node, whole, numbers).map((part) => take(a, part));
  if (node.op === "Gather" && b) return [gather(node, a, b)];
  const view = moved(node, whole, numbers, b?.dims ?? null);
  if (view !== null) return [take(a, view)];
  const unary = UNARY[node.op];
  if (unary !== undefined)
    return [constant(COMPARES.has(node.op) ? DATA_TYPES.bool : a.dtype, a.dims, Array.from(a.data, unary))];
  if (BINARY[node.op] !== undefined && b && inputs.length === 2) return [elementwise(node, a, b)];
  switch (node.op) {
    case "Identity":
      return [a];
    case "Cast":
      return [cast(node, a)];
    case "ConstantOfShape": {
      const value = node.attributes.get("value")?.t;
      const shape = [...a.data];
      const result = constant(value?.dtype ?? DATA_TYPES.float, shape);
      result.data.fill(value?.data[0] ?? 0);
      return [result];
    }
    case "Expand": {
      const to = broadcast(a.dims, numbers(1) ?? []);
      if (to === null) throw unsupported(node, "shapes that do not broadcast");
      return [take(a, { dims: to, strides: broadcastStrides(a.dims, to), offset: 0 })];
    }
    case "Clip": {
      const low = inputs[1]?.data[0] ?? (node.attributes.has("min") ? float(node, "min", 0) : -Infinity);
      const high = inputs[2]?.data[0] ?? (node.attributes.has("max") ? float(node, "max", 0) : Infinity);
      return [
        constant(
          a.dtype,
          a.dims,
          Array.from(a.data, (x) => Math.min(high, Math.max(low, x))),
        ),
      ];
    }
    case "ReduceSum":
    case "ReduceMean":
      return [reduce(node, a, numbers(1) ?? ints(node, "axes"))];
    case "MaxPool":
      return [maxPool(node, a)];
    case "DequantizeLinear":
      return [dequantize(node, inputs)];
    default:
      return null;
  }
}
