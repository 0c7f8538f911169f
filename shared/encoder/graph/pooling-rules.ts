import type { Node } from "../onnx/graph.ts";
import { elements } from "../onnx/tensor.ts";
import { axisOf, dilated, int, ints } from "./attributes.ts";
import { requireLanes, type Builder } from "./builder.ts";
import { unsupported } from "./unsupported.ts";
import { dimsOf, type Value, type View } from "./value.ts";

/** ReduceMean over the last axis begins a LayerNorm; over the rows it pools them. */
export function reduceMean(node: Node, builder: Builder, a: Value, given: readonly number[] | null): Value {
  const dims = dimsOf(a);
  const axes = (given ?? dims.map((_, i) => i)).map((axis) => axisOf(axis, dims.length));
  const [axis] = axes;
  if (axes.length !== 1 || axis === undefined) throw unsupported(node, "over several dimensions");
  const keep = int(node, "keepdims", 1) === 1;
  if (axis === dims.length - 1) {
    if (!keep) throw unsupported(node, "over the last dimension, which it drops");
    const reduced = [...dims.slice(0, -1), 1];
    if (a.kind === "normal" && a.stage === "square") return { ...a, node, dims: reduced, stage: "variance" };
    // The view, not what it was made of: the subtraction that follows must meet the same value.
    const base = builder.view(a, node);
    return { kind: "normal", node, dims: reduced, stage: "mean", base, eps: 0, gamma: null, beta: null };
  }
  if (axis !== dims.length - 2) throw unsupported(node, "over another dimension than rows or columns");
  const from = builder.rows(a, node);
  const [rows = 0, columns = 0] = dims.slice(-2);
  if (elements(dims) === 0) throw unsupported(node, "of nothing");
  const groups = elements(dims.slice(0, -2));
  const out = builder.fresh([...dims.slice(0, -2), ...(keep ? [1] : []), columns]);
  builder.steps.push({ kind: "mean", from, out, groups, rows, columns: requireLanes(columns, node) });
  return out;
}

/** AveragePool [1, C, H, W] in windows that do not overlap: the pooled patches of Gemma 3. */
export function averagePool(node: Node, builder: Builder, a: Value): View {
  const from = builder.view(a, node);
  const [n = 0, c = 0, h = 0, w = 0] = from.dims;
  const [kh = 1, kw = 1] = ints(node, "kernel_shape") ?? [];
  const [sh = 1, sw = 1] = ints(node, "strides") ?? [];
  const padded = (ints(node, "pads") ?? []).some((pad) => pad !== 0) || dilated(node);
  if (from.dims.length !== 4 || n !== 1 || padded || kh !== sh || kw !== sw || h % kh !== 0 || w % kw !== 0)
    throw unsupported(node, "windows that overlap or do not fill the picture");
  const [, cs = 0, hs = 0, ws = 0] = from.strides;
  const [gh, gw] = [h / kh, w / kw];
  const dims = [gh, gw, kh, kw, c];
  const windows = builder.fresh(dims);
  builder.copy({ ...from, dims, strides: [hs * kh, ws * kw, hs, ws, cs] }, windows, node);
  const out = builder.fresh([gh * gw, c]);
  const columns = requireLanes(c, node);
  builder.steps.push({ kind: "mean", from: windows, out, groups: gh * gw, rows: kh * kw, columns });
  return { ...out, dims: [1, c, gh, gw], strides: [gh * gw * c, 1, gw * c, c] };
}
