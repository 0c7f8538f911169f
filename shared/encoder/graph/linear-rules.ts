import type { Node } from "../onnx/graph.ts";
import { elements, type Tensor } from "../onnx/tensor.ts";
import { autoPadded, dilated, float, int, ints } from "./attributes.ts";
import { requireLanes, type Builder } from "./builder.ts";
import { rowMajor } from "./strides.ts";
import { unsupported } from "./unsupported.ts";
import { dimsOf, type Linear, type Value, type View } from "./value.ts";

export function floats(tensor: Tensor): Float32Array {
  return tensor.data instanceof Float32Array ? tensor.data : Float32Array.from(tensor.data);
}

function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) result[c * rows + r] = data[r * columns + c] ?? 0;
  return result;
}

function open(node: Node, x: View, weight: Float32Array, n: number, dims: readonly number[]): Linear {
  const k = requireLanes(x.dims.at(-1) ?? 0, node);
  return { kind: "linear", node, dims, x, k, n, weight, bias: null, activation: "none", residual: null };
}

/** MatMul with a constant on the right. */
export function matMul(node: Node, builder: Builder, x: Value, weight: Tensor): Linear {
  const [k, n] = [weight.dims.at(-2) ?? 0, weight.dims.at(-1) ?? 0];
  if (elements(weight.dims) !== k * n) throw unsupported(node, "a batch of constant matrices");
  const rows = builder.rows(x, node);
  if (rows.dims.at(-1) !== k) throw unsupported(node, "shapes that do not fit");
  const rank = rows.dims.length;
  if (rank < 2 && weight.dims.length > 2) throw unsupported(node, "a vector times a batch");
  const ones = Array.from({ length: Math.max(0, weight.dims.length - Math.max(2, rank)) }, () => 1);
  return open(node, rows, floats(weight), n, [...ones, ...rows.dims.slice(0, -1), n]);
}

export function gemm(node: Node, builder: Builder, x: Value, weight: Tensor, bias: Tensor | null): Linear {
  if (int(node, "transA", 0) !== 0 || float(node, "alpha", 1) !== 1 || float(node, "beta", 1) !== 1)
    throw unsupported(node, "transA, alpha or beta");
  const transposed = int(node, "transB", 0) !== 0;
  const [rows = 0, columns = 0] = weight.dims;
  const [k, n] = transposed ? [columns, rows] : [rows, columns];
  const data = transposed ? transpose(floats(weight), rows, columns) : floats(weight);
  const from = builder.rows(x, node);
  if (from.dims.at(-1) !== k) throw unsupported(node, "shapes that do not fit");
  const linear = open(node, from, data, n, [...from.dims.slice(0, -1), n]);
  if (bias === null) return linear;
  const values = floats(bias);
  if (values.length !== 1 && (values.length !== n || bias.dims.at(-1) !== n))
    throw unsupported(node, "a bias that is no row");
  return { ...linear, bias: values.length === n ? values : new Float32Array(n).fill(values[0] ?? 0) };
}

/** Conv whose windows do not reach past the picture: patches become rows, [1, C, H, W] -> view [1, D, gh, gw] of [gh gw, D]. */
export function conv(node: Node, builder: Builder, x: Value, weight: Tensor, bias: Tensor | null): View {
  const [d = 0, c = 0, kh = 0, kw = 0] = weight.dims;
  const [sh = 1, sw = 1] = ints(node, "strides") ?? [];
  const padded = (ints(node, "pads") ?? []).some((pad) => pad !== 0) || autoPadded(node);
  if (padded || dilated(node) || int(node, "group", 1) !== 1) throw unsupported(node, "padding, dilation or groups");
  const from = builder.view(x, node);
  const [n = 0, channels = 0, h = 0, w = 0] = from.dims;
  if (from.dims.length !== 4 || weight.dims.length !== 4 || n !== 1 || channels !== c || sh < 1 || sw < 1)
    throw unsupported(node, "another shape than [1, C, H, W] with [D, C, p, p]");
  const [gh, gw] = [Math.floor((h - kh) / sh) + 1, Math.floor((w - kw) / sw) + 1];
  if (!(gh > 0 && gw > 0)) throw unsupported(node, "a window larger than the picture");
  const [, cs = 0, hs = 0, ws = 0] = from.strides;
  const dims = [gh, gw, c, kh, kw];
  const windows: View = { ...from, dims, strides: [hs * sh, ws * sw, cs, hs, ws] };
  const patches = builder.fresh(dims);
  builder.copy(windows, patches, node);
  const k = c * kh * kw;
  const rows: View = { ...patches, dims: [gh * gw, k], strides: rowMajor([gh * gw, k]) };
  const linear = open(node, rows, transpose(floats(weight), d, k), d, [gh * gw, d]);
  const out = builder.view({ ...linear, bias: bias === null ? null : floats(bias) }, node);
  return { ...out, dims: [1, d, gh, gw], strides: [gh * gw * d, 1, gw * d, d] };
}

/** Adds a constant that is one row of the product, or scales its columns: both become part of it. Null when they cannot. */
export function absorb(linear: Linear, op: "Add" | "Mul", tensor: Tensor): Linear | null {
  if (linear.activation !== "none" || linear.residual !== null) return null;
  const { n } = linear;
  const values = floats(tensor);
  if (values.length !== n || tensor.dims.at(-1) !== n || tensor.dims.length > dimsOf(linear).length) return null;
  const { bias } = linear;
  if (op === "Add") return { ...linear, bias: values.map((value, i) => value + (bias?.[i] ?? 0)) };
  const weight = linear.weight.map((value, i) => value * (values[i % n] ?? 0));
  return { ...linear, weight, bias: bias?.map((value, i) => value * (values[i] ?? 0)) ?? null };
}
