import { describe, expect, it } from "vitest";
import { OnnxWriter } from "../../../bench/graphs/onnx-writer.ts";
import { Random } from "../../../bench/graphs/random.ts";
import { compare } from "./against-onnxruntime.ts";

/**
 * Graphs that look like what the compiler knows and are not quite: shapes that broadcast, values that are used twice, attributes
 * that change the meaning, functions that are an activation in a part of their range. Each is right or refused, never wrong.
 */
const [PATCH, WIDTH] = [4, 16];

/** A graph on x `[1, rows, 16]`; 16 rows where nothing else is said. */
type Build = (g: Writer, x: string) => string;

class Writer extends OnnxWriter {
  readonly #random = new Random(7);

  normal(dims: readonly number[], deviation = 1, mean = 0): string {
    const count = dims.reduce((a, b) => a * b, 1);
    return this.constant(this.#random.normal(count, deviation, mean), dims);
  }

  linear(x: string, k = WIDTH, n = WIDTH, deviation = 0.25): string {
    return this.node("MatMul", [x, this.normal([k, n], deviation)]);
  }

  norm(x: string): string {
    return this.node("LayerNormalization", [x, this.normal([WIDTH], 0.1, 1), this.normal([WIDTH], 0.1)], { axis: -1 });
  }

  /** The first row of x, `[1, 1, 16]`: another value that depends on the picture. */
  row(x: string): string {
    return this.node("Slice", [x, this.ints(0), this.ints(1), this.ints(1)]);
  }

  scores(x: string): string {
    return this.node("MatMul", [this.linear(x), this.node("Transpose", [this.linear(x)], { perm: [0, 2, 1] })]);
  }

  attend(x: string, shares: string): string {
    return this.node("MatMul", [shares, this.linear(x)]);
  }

  contributed(op: string, inputs: readonly string[], attributes = {}): string {
    return this.nodes(op, inputs, 1, attributes, "com.microsoft")[0] ?? "";
  }

  /** x as a convolution's `[1, 16, 4, 4]`. */
  square(x: string): string {
    return this.node("Reshape", [this.node("Transpose", [x], { perm: [0, 2, 1] }), this.ints(1, WIDTH, 4, 4)]);
  }
}

interface Case {
  readonly name: string;
  readonly build: Build;
  /** Why it is refused; right where nothing is said. */
  readonly refused?: RegExp;
  readonly side?: number;
  readonly opset?: number;
}

/** 81 rows: more than a block of hidden rows. */
const MANY = 36;

const SHAPES: readonly Case[] = [
  {
    name: "a residual with a dimension more in the middle",
    build: (g, x) => g.node("Add", [g.linear(x), g.node("Transpose", [g.linear(x)], { perm: [1, 0, 2] })]),
    refused: /^Add .*broadcast/,
  },
  { name: "a constant [16, 1, 16]", build: (g, x) => g.node("Add", [g.linear(x), g.normal([16, 1, 16])]), refused: /^Add / },
  { name: "a bias [rows, 1]", build: (g, x) => g.node("Add", [g.linear(x), g.normal([16, 1])]) },
  { name: "a scale [1, rows, 1]", build: (g, x) => g.node("Mul", [g.linear(x), g.normal([1, 16, 1])]) },
  { name: "LayerNorm times [rows, 1]", build: (g, x) => g.node("Mul", [g.norm(x), g.normal([16, 1], 1, 3)]) },
  { name: "LayerNorm plus [rows, 1]", build: (g, x) => g.node("Add", [g.norm(x), g.normal([16, 1], 3)]) },
  {
    name: "LayerNorm times [1, 1, 1, 16]: a dimension more",
    build: (g, x) => g.node("Transpose", [g.node("Mul", [g.norm(x), g.normal([1, 1, 1, 16])])], { perm: [0, 1, 3, 2] }),
  },
  {
    name: "weights [1, 16, 16] on rows [16, 16]: a dimension more",
    build: (g, x) => {
      const product = g.node("MatMul", [g.node("Reshape", [x, g.ints(16, 16)]), g.normal([1, 16, 16], 0.25)]);
      return g.node("Transpose", [product], { perm: [2, 1, 0] });
    },
  },
  {
    name: "a vector times a matrix",
    build: (g, x) => g.node("MatMul", [g.node("Reshape", [g.row(x), g.ints(16)]), g.normal([16, 8])]),
  },
  {
    name: "Expand to a rank more",
    build: (g, x) => g.node("Transpose", [g.node("Expand", [x, g.ints(1, 1, 16, 16)])], { perm: [0, 1, 3, 2] }),
  },
  { name: "Expand that repeats", build: (g, x) => g.node("Expand", [g.row(x), g.ints(1, 16, 1)]), refused: /^Expand .*repeats/ },
  {
    name: "Where whose condition repeats what it chooses",
    build: (g, x) => {
      const yes = g.node("Equal", [g.constant(BigInt64Array.of(1n, 1n), [2, 1, 1]), g.ints(1)]);
      return g.node("Where", [yes, x, g.scalar(0)]);
    },
    refused: /^Where .*repeats/,
  },
  {
    name: "a mask of zeros that repeats scores",
    build: (g, x) => {
      const masked = g.node("Add", [g.scores(x), g.constant(new Float32Array(512), [2, 16, 16])]);
      return g.attend(x, g.node("Softmax", [masked], { axis: -1 }));
    },
    refused: /^Add .*mask/,
  },
  {
    name: "Concat with nothing",
    build: (g, x) => g.node("Concat", [g.node("Slice", [x, g.ints(4), g.ints(4), g.ints(1)]), x], { axis: 1 }),
  },
  { name: "nothing", build: (g, x) => g.node("Slice", [x, g.ints(4), g.ints(4), g.ints(1)]), refused: /no elements/ },
  {
    name: "the mean of nothing",
    build: (g, x) => g.node("ReduceMean", [g.node("Slice", [x, g.ints(4), g.ints(4), g.ints(1)])], { axes: [1] }),
    refused: /^ReduceMean .*nothing/,
  },
];

const USED_TWICE: readonly Case[] = [
  {
    name: "a hidden layer that is the residual of its own product, in 81 rows",
    build: (g, x) => {
      const hidden = g.node("Relu", [g.linear(g.norm(x))]);
      return g.node("Add", [g.linear(hidden), hidden]);
    },
    side: MANY,
  },
  {
    name: "a hidden layer that scales its own product, in 81 rows",
    build: (g, x) => {
      const hidden = g.node("Relu", [g.linear(x)]);
      return g.node("Mul", [g.linear(hidden), hidden]);
    },
    side: MANY,
  },
  {
    name: "weights in two shapes",
    build: (g, x) => {
      const weight = g.normal([16, 32], 0.25);
      return g.node("MatMul", [g.node("MatMul", [x, weight]), g.node("Reshape", [weight, g.ints(32, 16)])]);
    },
  },
  {
    name: "weights with two biases",
    build: (g, x) => {
      const weight = g.normal([16, 16], 0.25);
      const layer = (from: string): string => g.node("Add", [g.node("MatMul", [from, weight]), g.normal([16], 3)]);
      return layer(g.node("Relu", [layer(x)]));
    },
  },
  {
    name: "softmax of softmax",
    build: (g, x) => {
      const once = g.node("Softmax", [g.scores(x)], { axis: -1 });
      return g.attend(x, g.node("Softmax", [once], { axis: -1 }));
    },
    refused: /^Softmax /,
  },
  {
    name: "x and its transpose",
    build: (g, x) => {
      const twice = g.node("Mul", [x, g.scalar(2)]);
      return g.node("Add", [g.node("Transpose", [twice], { perm: [0, 2, 1] }), twice]);
    },
  },
];

const ATTRIBUTES: readonly Case[] = [
  {
    name: "softmax over all but the first dimension, before opset 13",
    build: (g, x) => g.attend(x, g.node("Softmax", [g.scores(x)])),
    refused: /^Softmax /,
    opset: 12,
  },
  { name: "softmax without an axis", build: (g, x) => g.attend(x, g.node("Softmax", [g.scores(x)])) },
  {
    name: "SkipLayerNormalization without epsilon, of small values",
    build: (g, x) => {
      const small = (value: string): string => g.node("Mul", [value, g.scalar(1e-6)]);
      return g.contributed("SkipLayerNormalization", [small(x), small(g.linear(x)), g.normal([16], 0.1, 1)]);
    },
  },
  {
    name: "SkipLayerNormalization with a beta of the picture",
    build: (g, x) => {
      const beta = g.node("Reshape", [g.row(x), g.ints(16)]);
      return g.contributed("SkipLayerNormalization", [x, g.linear(x), g.normal([16], 0.1, 1), beta]);
    },
    refused: /^com\.microsoft\.SkipLayerNormalization .*depends on the picture/,
  },
  {
    name: "LayerNormalization with a beta of the picture",
    build: (g, x) =>
      g.node("LayerNormalization", [x, g.normal([16], 0.1, 1), g.node("Reshape", [g.row(x), g.ints(16)])], { axis: -1 }),
    refused: /^LayerNormalization .*depends on the picture/,
  },
  {
    name: "Gemm with a C of the picture",
    build: (g, x) => {
      const rows = g.node("Reshape", [x, g.ints(16, 16)]);
      return g.node("Gemm", [rows, g.normal([16, 16], 0.25), rows]);
    },
    refused: /^Gemm .*depends on the picture/,
  },
  {
    name: "Gemm with a C of one column",
    build: (g, x) => g.node("Gemm", [g.node("Reshape", [x, g.ints(16, 16)]), g.normal([16, 16]), g.normal([16, 1], 3)]),
    refused: /^Gemm .*no row/,
  },
  {
    name: "Conv with a bias of the picture",
    build: (g, x) => {
      const bias = g.node("Reshape", [g.row(x), g.ints(16)]);
      const conv = g.node("Conv", [g.square(x), g.normal([16, 16, 2, 2], 0.1), bias], { strides: [2, 2] });
      return g.node("Flatten", [conv], { axis: 2 });
    },
    refused: /^Conv .*depends on the picture/,
  },
  {
    name: "AveragePool with gaps",
    build: (g, x) => {
      const attributes = { kernel_shape: [2, 2], strides: [2, 2], dilations: [2, 2] };
      return g.node("Flatten", [g.node("AveragePool", [g.square(x)], attributes)], { axis: 2 });
    },
    refused: /^AveragePool /,
    opset: 19,
  },
  { name: "Max of three", build: (g, x) => g.node("Max", [x, g.linear(x), g.scalar(0)]), refused: /^Max .*two inputs/ },
  {
    name: "Max of three constants",
    build: (g, x) => g.node("Add", [x, g.node("Max", [g.normal([16]), g.normal([16]), g.normal([16], 3)])]),
    refused: /^Max .*constants/,
  },
  {
    name: "Mod as C has it",
    build: (g, x) => g.node("Add", [x, g.node("Mod", [g.normal([16], 5), g.scalar(3)], { fmod: 1 })]),
    refused: /^Mod .*fmod/,
  },
  {
    name: "DequantizeLinear in blocks of as many as there are scales",
    build: (g, x) => {
      const codes = g.constant(Int8Array.from({ length: 512 }, (_, i) => ((i * 37) % 255) - 127), [32, 16]);
      const attributes = { axis: 0, block_size: 16 };
      const weight = g.node("DequantizeLinear", [codes, g.normal([2, 16], 0.01, 0.02)], attributes);
      return g.node("MatMul", [g.node("Concat", [x, x], { axis: 2 }), weight]);
    },
    refused: /^DequantizeLinear .*blocks/,
    opset: 21,
  },
];

const CHAINS: readonly (readonly [string, Build])[] = [
  ["ReLU6", (g, x) => g.node("Min", [g.node("Max", [g.linear(x, 16, 16, 10), g.scalar(0)]), g.scalar(6)])],
  ["a clamp at 10", (g, x) => g.node("Max", [g.node("Min", [g.linear(x, 16, 16, 10), g.scalar(10)]), g.scalar(-10)])],
  ["a floor of eighths", (g, x) => g.node("Div", [g.node("Floor", [g.node("Mul", [x, g.scalar(8)])]), g.scalar(8)])],
  ["a sine of eighths", (g, x) => g.node("Add", [x, g.node("Sin", [g.node("Mul", [x, g.scalar(8 * Math.PI)])])])],
  ["tanh of a five thousandth", (g, x) => g.node("Mul", [g.node("Tanh", [g.node("Div", [x, g.scalar(5e3)])]), g.scalar(5e3)])],
];
const RANGES: readonly Case[] = CHAINS.map(([name, build]) => ({ name, build, refused: /no known activation/ }));

describe.each([
  ["shapes", SHAPES],
  ["values that are used twice", USED_TWICE],
  ["attributes", ATTRIBUTES],
  ["functions that are another further out", RANGES],
] as const)("%s", (_, cases) => {
  it.each(cases)("$name", async ({ build, refused, side = 16, opset = 17 }) => {
    const g = new Writer();
    const kernel = g.normal([WIDTH, 3, PATCH, PATCH], 0.2);
    const conv = g.node("Conv", ["pixel_values", kernel], { strides: [PATCH, PATCH] });
    const x = g.node("Transpose", [g.node("Reshape", [conv, g.ints(1, WIDTH, -1)])], { perm: [0, 2, 1] });
    const onnx = g.finish(build(g, x), [1, 3, side, side], ["a", "b", "c"], opset);
    const found = await compare(onnx, new Random(1).normal(3 * side * side, 1));
    if (refused !== undefined) {
      expect(found).toMatch(refused);
      return;
    }
    if (typeof found === "string") throw new Error(found);
    expect(found.cosine).toBeGreaterThan(0.999);
    expect(Math.abs(found.ratio - 1)).toBeLessThan(0.02);
  });
});
