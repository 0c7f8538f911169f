import { OnnxWriter } from "../../../bench/graphs/onnx-writer.ts";
import { Random } from "../../../bench/graphs/random.ts";

export const PATCH = 4;

/** A name of the graph and its dims, `[1, rows, width]` or a permutation of that. */
interface Value {
  readonly name: string;
  readonly dims: readonly number[];
}

const same = (a: readonly number[], b: readonly number[]): boolean => a.join() === b.join();

/** An encoder that nobody would train: patches, then operators that encoders consist of in any order, each on any value before it. */
class RandomGraph {
  readonly onnx = new OnnxWriter();
  readonly #random: Random;
  readonly #pool: Value[] = [];
  readonly side: number;

  constructor(seed: number) {
    this.#random = new Random(seed * 7919 + 1);
    const { onnx } = this;
    this.side = this.#pick([16, 16, 36]);
    const width = this.#pick([16, 24]);
    const kernel = this.#constant([width, 3, PATCH, PATCH], 0.2);
    const conv = onnx.node("Conv", ["pixel_values", kernel, this.#constant([width])], { strides: [PATCH, PATCH] });
    const rows = onnx.node("Transpose", [onnx.node("Reshape", [conv, onnx.ints(1, width, -1)])], { perm: [0, 2, 1] });
    this.#pool.push({ name: rows, dims: [1, (this.side / PATCH) ** 2, width] });
    const rules: readonly ((from: Value) => Value | null)[] = [
      (from) => this.#linear(from),
      (from) => this.#activation(from),
      (from) => this.#add(from),
      (from) => this.#norm(from),
      (from) => this.#attention(from),
      (from) => this.#slice(from),
      (from) => this.#concat(from),
      (from) => this.#transpose(from),
      (from) => this.#reshape(from),
      (from) => this.#withConstant(from),
      (from) => this.#mean(from),
    ];
    const steps = 4 + this.#below(10);
    for (let step = 0; step < steps; step++) {
      const made = this.#pick(rules)(this.#any());
      if (made !== null) this.#pool.push(made);
    }
  }

  bytes(): Uint8Array {
    const last = this.#last();
    const dims = last.dims.map((_, i) => `d${i}`);
    return this.onnx.finish(last.name, [1, 3, this.side, this.side], dims);
  }

  /** The upper bits: the lower ones of this generator repeat. */
  #below(count: number): number {
    return Math.floor((this.#random.uint() / 2 ** 32) * count);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)];
  }

  #last(): Value {
    return this.#pool[this.#pool.length - 1];
  }

  /** The newest value more often than an older one. */
  #any(): Value {
    return this.#below(5) < 3 ? this.#last() : this.#pick(this.#pool);
  }

  #constant(dims: readonly number[], deviation = 0.3, mean = 0): string {
    const count = dims.reduce((a, b) => a * b, 1);
    return this.onnx.constant(this.#random.normal(count, deviation, mean), dims);
  }

  #product({ name, dims }: Value, n: number): Value {
    const k = dims.at(-1) ?? 0;
    const product = this.onnx.node("MatMul", [name, this.#constant([k, n], 1 / Math.sqrt(k))]);
    const to = [...dims.slice(0, -1), n];
    if (this.#below(5) < 2) return { name: product, dims: to };
    const sides = [product, this.#constant([n])];
    return { name: this.onnx.node("Add", this.#below(2) === 0 ? sides : sides.toReversed()), dims: to };
  }

  #linear(from: Value): Value {
    return this.#product(from, this.#pick([from.dims.at(-1) ?? 16, 16, 32]));
  }

  #activation(from: Value): Value {
    const { onnx } = this;
    const { name, dims } = this.#product(from, from.dims.at(-1) ?? 16);
    const op = this.#pick(["Relu", "Sigmoid", "Tanh", "gelu", "silu"]);
    if (op === "silu") return { name: onnx.node("Mul", [name, onnx.node("Sigmoid", [name])]), dims };
    if (op !== "gelu") return { name: onnx.node(op, [name]), dims };
    const erf = onnx.node("Erf", [onnx.node("Div", [name, onnx.scalar(Math.SQRT2)])]);
    const half = onnx.node("Mul", [name, onnx.scalar(0.5)]);
    return { name: onnx.node("Mul", [half, onnx.node("Add", [erf, onnx.scalar(1)])]), dims };
  }

  #add(from: Value): Value {
    const other = this.#pick(this.#pool.filter(({ dims }) => same(dims, from.dims)));
    return { name: this.onnx.node("Add", [from.name, other.name]), dims: from.dims };
  }

  /** LayerNorm as one operator or written out. */
  #norm({ name, dims }: Value): Value {
    const { onnx } = this;
    const width = dims.at(-1) ?? 0;
    const [gamma, beta] = [this.#constant([width], 0.1, 1), this.#constant([width])];
    if (this.#below(2) === 0)
      return { name: onnx.node("LayerNormalization", [name, gamma, beta], { axis: -1 }), dims };
    const mean = (x: string): string => onnx.node("ReduceMean", [x], { axes: [-1], keepdims: 1 });
    const centred = onnx.node("Sub", [name, mean(name)]);
    const variance = mean(onnx.node("Mul", [centred, centred]));
    const deviation = onnx.node("Sqrt", [onnx.node("Add", [variance, onnx.scalar(1e-3)])]);
    const scaled = onnx.node("Mul", [onnx.node("Div", [centred, deviation]), gamma]);
    return { name: onnx.node("Add", [scaled, beta]), dims };
  }

  /** Of what a LayerNorm gives, as in a transformer: scores in bytes hold no others. Queries, keys and values by own products. */
  #attention(from: Value): Value | null {
    const { onnx } = this;
    if (from.dims.length !== 3 || from.dims[0] !== 1) return null;
    const x = this.#norm(from);
    const [rows = 0] = x.dims.slice(1);
    const [heads, d] = [this.#pick([1, 2, 3]), this.#pick([4, 8])];
    const split = (perm: readonly number[]): string => {
      const { name } = this.#product(x, heads * d);
      return onnx.node("Transpose", [onnx.node("Reshape", [name, onnx.ints(1, rows, heads, d)])], { perm });
    };
    const scores = onnx.node("MatMul", [split([0, 2, 1, 3]), split([0, 2, 3, 1])]);
    const scaled = onnx.node("Mul", [scores, onnx.scalar(1 / Math.sqrt(d))]);
    const mixed = onnx.node("MatMul", [onnx.node("Softmax", [scaled], { axis: -1 }), split([0, 2, 1, 3])]);
    const back = onnx.node("Transpose", [mixed], { perm: [0, 2, 1, 3] });
    return { name: onnx.node("Reshape", [back, onnx.ints(0, 0, -1)]), dims: [1, rows, heads * d] };
  }

  #slice({ name, dims }: Value): Value | null {
    const [rows = 0, width = 0] = dims.slice(-2);
    if (rows < 4) return null;
    const [first, step] = [this.#below(3), this.#pick([1, 1, 2])];
    const inputs = [name, ...[first - this.#pick([0, rows]), 1_000_000, -2, step].map((x) => this.onnx.ints(x))];
    return {
      name: this.onnx.node("Slice", inputs),
      dims: [...dims.slice(0, -2), Math.ceil((rows - first) / step), width],
    };
  }

  #concat(from: Value): Value {
    const fits = ({ dims }: Value): boolean => dims[0] === from.dims[0] && dims.at(-1) === from.dims.at(-1);
    const other = this.#pick(this.#pool.filter((value) => fits(value)));
    const [batch = 1, rows = 0, width = 0] = from.dims;
    const name = this.onnx.node("Concat", [from.name, other.name], { axis: this.#pick([1, -2]) });
    return { name, dims: [batch, rows + (other.dims[1] ?? 0), width] };
  }

  #transpose({ name, dims }: Value): Value {
    const perm = this.#pick([
      [0, 2, 1],
      [1, 0, 2],
      [2, 1, 0],
    ]);
    return { name: this.onnx.node("Transpose", [name], { perm }), dims: perm.map((axis) => dims[axis] ?? 0) };
  }

  #reshape({ name, dims }: Value): Value | null {
    const [batch = 1, rows = 0, width = 0] = dims;
    const factor = this.#pick([2, 4]);
    if (rows % factor !== 0) return null;
    const to = [batch, rows / factor, width * factor];
    return { name: this.onnx.node("Reshape", [name, this.onnx.ints(...to)]), dims: to };
  }

  /** A constant in every shape that broadcasts. */
  #withConstant({ name, dims }: Value): Value {
    const [rows = 0, width = 0] = dims.slice(-2);
    const shape = this.#pick([[width], [1, width], [rows, width], [rows, 1], [1, 1, width], [1, rows, 1], [1, 1]]);
    const op = this.#pick(["Add", "Mul", "Sub", "Div"]);
    const sides = [name, this.#constant(shape, 0.3, op === "Mul" || op === "Div" ? 1.5 : 0)];
    const turned = (op === "Add" || op === "Mul") && this.#below(2) === 0;
    return { name: this.onnx.node(op, turned ? sides.toReversed() : sides), dims };
  }

  #mean({ name, dims }: Value): Value {
    const [batch = 1, , width = 0] = dims;
    return { name: this.onnx.node("ReduceMean", [name], { axes: [1], keepdims: 1 }), dims: [batch, 1, width] };
  }
}

/** The graph of a seed, for pictures of `side` x `side`. */
export function randomGraph(seed: number): { readonly onnx: Uint8Array; readonly side: number } {
  const graph = new RandomGraph(seed);
  return { onnx: graph.bytes(), side: graph.side };
}
