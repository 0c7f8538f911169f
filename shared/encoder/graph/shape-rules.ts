import { axisOf, int, ints } from "./attributes.ts";
import type { Node } from "../onnx/graph.ts";
import { elements } from "../onnx/tensor.ts";
import { rowMajor } from "./strides.ts";
import { unsupported } from "./unsupported.ts";

/**
 * The operators that only move elements, as rules on dims: used for constants (which are copied) and for data (where most
 * of them are free, because a value is a view).
 */

/** A constant input of a node as numbers, null where it is absent; throws where it depends on the picture. */
export type Numbers = (index: number) => readonly number[] | null;

/** The view that an operator makes of its first input. */
export interface Moved {
  readonly dims: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** dims after Reshape, Flatten, Squeeze or Unsqueeze; null for other operators. */
export function reshaped(node: Node, dims: readonly number[], numbers: Numbers): number[] | null {
  const axes = (): readonly number[] => ints(node, "axes") ?? numbers(1) ?? [];
  switch (node.op) {
    case "Reshape": {
      const wanted = numbers(1);
      if (wanted === null) throw unsupported(node, "no shape");
      const to = wanted.map((dim, i) => (dim === 0 && int(node, "allowzero", 0) === 0 ? (dims[i] ?? 0) : dim));
      const known = to.filter((dim) => dim !== -1).reduce((a, b) => a * b, 1);
      const result = to.map((dim) => (dim === -1 ? elements(dims) / known : dim));
      if (elements(result) !== elements(dims) || !result.every(Number.isInteger))
        throw unsupported(node, `[${dims.join(", ")}] is no [${to.join(", ")}]`);
      return result;
    }
    case "Flatten": {
      const axis = axisOf(int(node, "axis", 1), dims.length);
      return [elements(dims.slice(0, axis)), elements(dims.slice(axis))];
    }
    case "Squeeze": {
      const gone = axes().map((axis) => axisOf(axis, dims.length));
      const result = dims.filter((dim, i) => (gone.length > 0 ? !gone.includes(i) : dim !== 1));
      if (elements(result) !== elements(dims)) throw unsupported(node, "squeezes a dimension that is not 1");
      return result;
    }
    case "Unsqueeze": {
      const rank = dims.length + axes().length;
      const added = new Set(axes().map((axis) => axisOf(axis, rank)));
      const left = [...dims];
      return Array.from({ length: rank }, (_, i) => (added.has(i) ? 1 : (left.shift() ?? 1)));
    }
    default:
      return null;
  }
}

function slice(node: Node, { dims, strides, offset }: Moved, numbers: Numbers): Moved {
  const [starts, ends] = [numbers(1) ?? ints(node, "starts"), numbers(2) ?? ints(node, "ends")];
  if (starts === null || ends === null) throw unsupported(node, "no starts or ends");
  const axes = numbers(3) ?? ints(node, "axes") ?? starts.map((_, i) => i);
  const steps = numbers(4) ?? starts.map(() => 1);
  const result = { dims: [...dims], strides: [...strides], offset };
  for (const [i, given] of axes.entries()) {
    const axis = axisOf(given, dims.length);
    const size = dims[axis] ?? 0;
    const step = steps[i] ?? 1;
    if (step < 1) throw unsupported(node, `step ${step}`);
    const clamp = (value: number): number => Math.min(size, Math.max(0, value < 0 ? value + size : value));
    const [start, end] = [clamp(starts[i] ?? 0), clamp(ends[i] ?? 0)];
    result.offset += start * (strides[axis] ?? 0);
    result.dims[axis] = Math.max(0, Math.ceil((end - start) / step));
    result.strides[axis] = (strides[axis] ?? 0) * step;
  }
  return result;
}

/** Gather of one index, or of indices that follow each other. */
function gather(node: Node, from: Moved, index: readonly number[], indexDims: readonly number[]): Moved | null {
  const axis = axisOf(int(node, "axis", 0), from.dims.length);
  const size = from.dims[axis] ?? 0;
  const first = axisOf(index[0] ?? 0, size);
  if (index.some((value, i) => axisOf(value, size) !== first + i) || first + index.length > size) return null;
  const stride = from.strides[axis] ?? 0;
  const inner = rowMajor(indexDims).map((step) => step * stride);
  return {
    dims: [...from.dims.slice(0, axis), ...indexDims, ...from.dims.slice(axis + 1)],
    strides: [...from.strides.slice(0, axis), ...inner, ...from.strides.slice(axis + 1)],
    offset: from.offset + first * stride,
  };
}

/** Transpose, Slice, Gather of a range; null for other operators. `indexDims`: dims of the second input. */
export function moved(node: Node, from: Moved, numbers: Numbers, indexDims: readonly number[] | null): Moved | null {
  switch (node.op) {
    case "Transpose": {
      const perm = ints(node, "perm") ?? from.dims.map((_, i) => from.dims.length - 1 - i);
      const pick = (list: readonly number[]): number[] => perm.map((axis) => list[axis] ?? 0);
      return { dims: pick(from.dims), strides: pick(from.strides), offset: from.offset };
    }
    case "Slice":
      return slice(node, from, numbers);
    case "Gather": {
      const index = numbers(1);
      return index === null || indexDims === null ? null : gather(node, from, index, indexDims);
    }
    default:
      return null;
  }
}

/** The parts of a Split. */
export function split(node: Node, { dims, strides, offset }: Moved, numbers: Numbers): Moved[] {
  const axis = axisOf(int(node, "axis", 0), dims.length);
  const size = dims[axis] ?? 0;
  const count = node.outputs.length;
  const even = Array.from({ length: count }, (_, i) =>
    Math.min(Math.ceil(size / count), size - i * Math.ceil(size / count)),
  );
  const sizes = numbers(1) ?? ints(node, "split") ?? even;
  if (sizes.reduce((a, b) => a + b, 0) !== size) throw unsupported(node, "parts do not add up");
  let start = 0;
  return sizes.map((part) => {
    const at = offset + start * (strides[axis] ?? 0);
    start += part;
    return { dims: dims.map((dim, i) => (i === axis ? part : dim)), strides, offset: at };
  });
}
