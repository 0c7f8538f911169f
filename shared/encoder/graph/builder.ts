import { MAX_FOLDED_ELEMENTS } from "../../limits/encoder.ts";
import type { Node } from "../onnx/graph.ts";
import { elements } from "../onnx/tensor.ts";
import { recognise } from "./activation.ts";
import type { Buffer, Step } from "./steps.ts";
import { rowMajor } from "./strides.ts";
import { unsupported, UnsupportedGraph } from "./unsupported.ts";
import type { Constant, Linear, Normal, Value, View } from "./value.ts";

/** Vectors of four floats everywhere: what is not a multiple of that is left to onnxruntime-web. */
const LANES = 4;
const MAX_COPY_DIMS = 5;

/** Collects steps; turns values that wait into views. */
export class Builder {
  readonly steps: Step[] = [];
  #buffers = 0;
  readonly #made = new Map<Value, View>();
  readonly #constants = new Map<Float32Array, Buffer>();

  buffer(count: number): Buffer {
    if (!(count <= MAX_FOLDED_ELEMENTS)) throw new UnsupportedGraph(`A buffer of ${count} elements is too large.`);
    return { id: this.#buffers++, elements: count, constant: null };
  }

  constant(data: Float32Array): Buffer {
    const known = this.#constants.get(data);
    if (known !== undefined) return known;
    const made = { id: this.#buffers++, elements: data.length, constant: data };
    this.#constants.set(data, made);
    return made;
  }

  /** A new row-major view. */
  fresh(dims: readonly number[]): View {
    return { kind: "view", buffer: this.buffer(elements(dims)), offset: 0, dims, strides: rowMajor(dims) };
  }

  constantView({ tensor }: Constant): View {
    const data = tensor.data instanceof Float32Array ? tensor.data : Float32Array.from(tensor.data);
    return { kind: "view", buffer: this.constant(data), offset: 0, dims: tensor.dims, strides: rowMajor(tensor.dims) };
  }

  /** The value in memory, in whatever order it stands there. `node`: who asks. */
  view(value: Value, node: Node): View {
    const known = this.#made.get(value);
    if (known !== undefined) return known;
    const made = this.#make(value, node);
    this.#made.set(value, made);
    return made;
  }

  /** Has the value been written already? Then it is read, not made again inside another step. */
  exists(value: Value): boolean {
    return this.#made.has(value);
  }

  /** The value in memory, row-major. */
  rows(value: Value, node: Node): View {
    const view = this.view(value, node);
    const strides = rowMajor(view.dims);
    if (view.dims.every((dim, i) => dim === 1 || view.strides[i] === strides[i])) return view;
    const out = this.fresh(view.dims);
    this.copy(view, out, node);
    return out;
  }

  copy(from: View, out: View, node: Node): void {
    if (elements(from.dims) === 0) return;
    const merged = mergeDims(from, out);
    if (merged.dims.length > MAX_COPY_DIMS) throw unsupported(node, `moves ${merged.dims.length} dimensions at once`);
    const { dims } = merged;
    this.steps.push({
      kind: "copy",
      from: { buffer: from.buffer, offset: from.offset, dims, strides: merged.from },
      out: { buffer: out.buffer, offset: out.offset, dims, strides: merged.out },
    });
  }

  #make(value: Value, node: Node): View {
    switch (value.kind) {
      case "view":
        return value;
      case "constant":
        return this.constantView(value);
      case "linear":
        return this.#linear(value);
      case "mapped": {
        const found = recognise(value.f);
        if (found === null) throw unsupported(value.node, "a chain of operators that is no known activation");
        const { base } = value;
        const plain = base.kind === "linear" && base.activation === "none" && base.residual === null;
        if (plain && !this.exists(base) && found.scale === 1 && found.shift === 0)
          return this.#linear({ ...base, activation: found.activation });
        const from = this.rows(base, value.node);
        const out = this.fresh(value.dims);
        const count = requireLanes(elements(value.dims), value.node);
        this.steps.push({ kind: "map", from, out, count, ...found });
        return out;
      }
      case "normal":
        return this.#normal(value);
      default:
        throw unsupported(value.node, `scores that do not end as an attention (used by ${node.op} ${node.name})`);
    }
  }

  #linear(value: Linear): View {
    const out = this.fresh(value.dims);
    const { x, k, n, weight, bias, activation, residual, node } = value;
    const rows = elements(value.dims) / n;
    if (activation !== "none") requireLanes(rows * n, node);
    this.steps.push({ kind: "linear", name: node.name, x, out, rows, k, n, weight, bias, activation, residual });
    return out;
  }

  #normal(value: Normal): View {
    if (value.stage !== "done") throw unsupported(value.node, "a mean or variance that is no part of a LayerNorm");
    const columns = requireLanes(value.dims.at(-1) ?? 0, value.node);
    const gamma = value.gamma ?? new Float32Array(columns).fill(1);
    const beta = value.beta ?? new Float32Array(columns);
    return this.layerNorm(value.base, gamma, beta, value.eps, value.node);
  }

  layerNorm(value: Value, gamma: Float32Array, beta: Float32Array, eps: number, node: Node): View {
    const from = this.rows(value, node);
    const columns = requireLanes(from.dims.at(-1) ?? 0, node);
    if (gamma.length !== columns || beta.length !== columns) throw unsupported(node, "gamma or beta of another width");
    const out = this.fresh(from.dims);
    const slot = (data: Float32Array) => ({ buffer: this.constant(data), offset: 0 });
    const rows = elements(from.dims) / columns;
    this.steps.push({ kind: "layer_norm", from, out, gamma: slot(gamma), beta: slot(beta), rows, columns, eps });
    return out;
  }
}

export function requireLanes(count: number, node: Node): number {
  if (count % LANES !== 0 || count === 0) throw unsupported(node, `a width of ${count} is no multiple of ${LANES}`);
  return count;
}

/** Drops dimensions of 1 and joins neighbours that both sides walk in one stride. */
function mergeDims(from: View, out: View): { dims: number[]; from: number[]; out: number[] } {
  const [dims, source, target]: [number[], number[], number[]] = [[], [], []];
  for (let i = from.dims.length - 1; i >= 0; i--) {
    const [dim, a, b] = [from.dims[i] ?? 1, from.strides[i] ?? 0, out.strides[i] ?? 0];
    const [inner, innerA, innerB] = [dims[0], source[0], target[0]];
    if (dim === 1) continue;
    if (
      inner !== undefined &&
      innerA !== undefined &&
      innerB !== undefined &&
      a === innerA * inner &&
      b === innerB * inner
    ) {
      dims[0] = dim * inner;
    } else {
      dims.unshift(dim);
      source.unshift(a);
      target.unshift(b);
    }
  }
  return dims.length > 0 ? { dims, from: source, out: target } : { dims: [1], from: [1], out: [1] };
}
