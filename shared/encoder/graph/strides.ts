import { elements } from "../onnx/tensor.ts";

/** Row-major strides in elements. */
export function rowMajor(dims: readonly number[]): number[] {
  const strides: number[] = Array.from({ length: dims.length }, () => 1);
  for (let i = dims.length - 2; i >= 0; i--) strides[i] = (strides[i + 1] ?? 1) * (dims[i + 1] ?? 1);
  return strides;
}

/** The result of broadcasting two shapes, or null: https://onnx.ai/onnx/repo-docs/Broadcasting.html */
export function broadcast(a: readonly number[], b: readonly number[]): number[] | null {
  const rank = Math.max(a.length, b.length);
  const dims: number[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return null;
    dims.push(x === 1 ? y : x);
  }
  return dims;
}

export function sameDims(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** Strides that walk a tensor of `dims` in the order of the broadcast shape `to`: 0 where it repeats. */
export function broadcastStrides(dims: readonly number[], to: readonly number[]): number[] {
  const own = rowMajor(dims);
  return to.map((_, i) => {
    const at = dims.length - to.length + i;
    return at < 0 || dims[at] === 1 ? 0 : (own[at] ?? 0);
  });
}

/** Calls `visit` with the source index of every element of `dims` in row-major order. */
export function walk(
  dims: readonly number[],
  strides: readonly number[],
  offset: number,
  visit: (from: number, to: number) => void,
): void {
  const count = elements(dims);
  const index = dims.map(() => 0);
  let from = offset;
  for (let to = 0; to < count; to++) {
    visit(from, to);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      from += strides[axis] ?? 0;
      if (next < (dims[axis] ?? 0)) {
        index[axis] = next;
        break;
      }
      index[axis] = 0;
      from -= next * (strides[axis] ?? 0);
    }
  }
}

/**
 * Strides of `to` over the same elements in the same order, or null when a view cannot express it: neighbouring
 * dimensions merge when the outer stride is the inner extent, and split freely.
 */
export function reshapeStrides(
  dims: readonly number[],
  strides: readonly number[],
  to: readonly number[],
): number[] | null {
  const from = dims.map((dim, i) => ({ dim, stride: strides[i] ?? 0 })).filter(({ dim }) => dim !== 1);
  const result: number[] = Array.from({ length: to.length }, () => 0);
  let [at, target] = [0, 0];
  while (at < from.length) {
    let size = from[at]?.dim ?? 1;
    let end = at + 1;
    let until = target;
    let wanted = 1;
    while (until < to.length && wanted < size) wanted *= to[until++] ?? 1;
    while (wanted !== size) {
      if (wanted > size) {
        const [outer, inner] = [from[end - 1], from[end]];
        if (outer === undefined || inner === undefined || outer.stride !== inner.stride * inner.dim) return null;
        size *= inner.dim;
        end++;
      } else {
        if (until === to.length) return null;
        wanted *= to[until++] ?? 1;
      }
    }
    let stride = from[end - 1]?.stride ?? 0;
    for (let i = until - 1; i >= target; i--) {
      result[i] = stride;
      stride *= to[i] ?? 1;
    }
    [at, target] = [end, until];
  }
  return result;
}
