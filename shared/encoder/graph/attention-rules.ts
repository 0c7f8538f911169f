import { MAX_ATTENTION_KEYS } from "../../limits/encoder.ts";
import type { Node } from "../onnx/graph.ts";
import { elements } from "../onnx/tensor.ts";
import { recognise } from "./activation.ts";
import { float, int } from "./attributes.ts";
import { requireLanes, type Builder } from "./builder.ts";
import { reshapeStrides } from "./strides.ts";
import { unsupported } from "./unsupported.ts";
import type { Scores, Value, View } from "./value.ts";

/** [..., rows, d] with at most one leading dimension that is not 1 -> [heads, rows, d]. */
function heads(view: View, node: Node): View {
  const [rows = 0, d = 0] = view.dims.slice(-2);
  const count = elements(view.dims) / (rows * d);
  const dims = [count, rows, d];
  const strides = reshapeStrides(view.dims, view.strides, dims);
  if (strides === null) throw unsupported(node, "heads in an order that no stride describes");
  return { ...view, dims, strides };
}

/** A view times a factor: exporters spread the scale of attention over q and k. */
function scaled(value: Value, builder: Builder, node: Node): { view: View; factor: number } {
  if (value.kind === "mapped" && !builder.exists(value)) {
    const found = recognise(value.f);
    if (found !== null && found.activation === "none" && found.shift === 0)
      return { view: builder.view(value.base, node), factor: found.scale };
  }
  return { view: builder.view(value, node), factor: 1 };
}

/** MatMul of two values that both depend on the picture: q k^T, or softmax(...) v. */
export function product(node: Node, builder: Builder, a: Value, b: Value): Scores | View {
  if (a.kind === "scores") {
    if (!a.softmax) throw unsupported(node, "scores without softmax");
    return attend(node, builder, a, builder.view(b, node));
  }
  const [q, k] = [scaled(a, builder, node), scaled(b, builder, node)];
  const rank = k.view.dims.length;
  const swap = <T>(list: readonly T[]): T[] => list.toSpliced(rank - 2, 2, ...list.slice(rank - 2).toReversed());
  const keys: View = { ...k.view, dims: swap(k.view.dims), strides: swap(k.view.strides) };
  if (q.view.dims.at(-1) !== keys.dims.at(-1)) throw unsupported(node, "shapes that do not fit");
  const dims = [...q.view.dims.slice(0, -1), keys.dims.at(-2) ?? 0];
  const [left, right] = [heads(q.view, node), heads(keys, node)];
  return { kind: "scores", node, dims, q: left, k: right, scale: q.factor * k.factor, softmax: false };
}

function lastContiguous(view: View, builder: Builder, node: Node): View {
  return view.strides.at(-1) === 1 ? view : builder.rows(view, node);
}

function attend(node: Node, builder: Builder, { q, k, scale, dims }: Scores, values: View): View {
  const v = lastContiguous(heads(values, node), builder, node);
  const [count = 0, tq = 0, d = 0] = q.dims;
  const tk = k.dims[1] ?? 0;
  requireLanes(d, node);
  if (k.dims[0] !== count || v.dims[0] !== count) throw unsupported(node, "grouped keys and values");
  if (v.dims[1] !== tk || v.dims[2] !== d) throw unsupported(node, "values of another shape than the keys");
  if (tk > MAX_ATTENTION_KEYS) throw unsupported(node, `${tk} keys`);
  // Stands as [tq, heads, d], so that the transpose which follows in every encoder is free.
  const whole = builder.fresh([tq, count, d]);
  const [row = 0, head = 0] = whole.strides;
  const out: View = { ...whole, dims: [count, tq, d], strides: [head, row, 1] };
  const [left, right] = [lastContiguous(q, builder, node), lastContiguous(k, builder, node)];
  builder.steps.push({ kind: "attention", q: left, k: right, v, out, scale });
  const shape = [...dims.slice(0, -1), d];
  const strides = reshapeStrides(out.dims, out.strides, shape);
  if (strides === null) throw unsupported(node, "heads in an order that no stride describes");
  return { ...out, dims: shape, strides };
}

/** [1, T, heads d] -> [heads, T, d] */
function splitHeads(view: View, count: number, node: Node): View {
  const [t = 0, width = 0] = view.dims.slice(-2);
  const dims = [t, count, width / count];
  const strides = reshapeStrides(view.dims, view.strides, dims);
  if (strides === null || !Number.isInteger(width / count)) throw unsupported(node, "a width that heads do not divide");
  const [row = 0, head = 0, one = 0] = strides;
  return { ...view, dims: [count, t, width / count], strides: [head, row, one] };
}

/** Attention in one operator: ONNX's `Attention` (opset 23) and onnxruntime's `MultiHeadAttention`, without masks or caches. */
export function whole(node: Node, builder: Builder, inputs: readonly (Value | null)[]): View {
  const [q, k, v, ...others] = inputs;
  if (!q || !k || !v) throw unsupported(node, "packed or missing inputs");
  if (others.some((other) => other !== null && other !== undefined)) throw unsupported(node, "a bias, mask or cache");
  if (int(node, "is_causal", 0) !== 0 || int(node, "unidirectional", 0) !== 0) throw unsupported(node, "a causal mask");
  if (float(node, "softcap", 0) !== 0) throw unsupported(node, "softcap");
  const views = [q, k, v].map((value) => builder.rows(value, node));
  const count = int(node, "q_num_heads", int(node, "num_heads", 0));
  const flat = views.every((view) => view.dims.length === 3);
  if (int(node, "kv_num_heads", count) !== count) throw unsupported(node, "grouped keys and values");
  if (flat && count < 1) throw unsupported(node, "no number of heads");
  const [left, keys, values] = views.map((view) => (flat ? splitHeads(view, count, node) : heads(view, node)));
  if (!left || !keys || !values) throw unsupported(node, "missing inputs");
  const d = left.dims[2] ?? 1;
  const scale = float(node, "scale", 0) || 1 / Math.sqrt(d);
  const dims = [left.dims[0] ?? 0, left.dims[1] ?? 0, keys.dims[1] ?? 0];
  const out = attend(node, builder, { kind: "scores", node, dims, q: left, k: keys, scale, softmax: true }, values);
  if (!flat)
    return {
      ...out,
      dims: views[0]?.dims ?? out.dims,
      strides: reshapeStrides(out.dims, out.strides, views[0]?.dims ?? []) ?? out.strides,
    };
  const [rows, width] = [left.dims[1] ?? 0, count * d];
  return { ...out, dims: [1, rows, width], strides: [rows * width, width, 1] };
}
