import { describe, expect, it } from "vitest";
import { compileGraph } from "../compile/compile.ts";
import type { Graph, Node } from "../onnx/graph.ts";
import { readOnnx } from "../onnx/graph.ts";
import { OnnxError } from "../onnx/protobuf.ts";
import { GOLDEN, onnxOf, random } from "../program/fixtures.testing.ts";
import { recognise } from "./activation.ts";
import { lower } from "./lower.ts";
import { erf } from "./scalar-functions.ts";
import { reshapeStrides, rowMajor, walk } from "./strides.ts";
import { UnsupportedGraph } from "./unsupported.ts";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

describe("recognise", () => {
  it("knows each activation however it is written, with constants of float32", () => {
    const root = Math.fround(Math.SQRT2);
    const table: [(x: number) => number, string][] = [
      [(x) => x * 0.5 * (1 + erf(x / root)), "gelu"],
      [(x) => x * (0.5 + erf(x * Math.fround(Math.SQRT1_2)) * 0.5), "gelu"],
      [(x) => 0.5 * x * (1 + Math.tanh(Math.fround(0.7978845608) * (x + Math.fround(0.044715) * x ** 3))), "gelu_tanh"],
      [(x) => x * sigmoid(Math.fround(1.702) * x), "quick_gelu"],
      [(x) => x / (1 + Math.exp(-x)), "silu"],
      [(x) => Math.max(x, 0), "relu"],
      [Math.tanh, "tanh"],
      [sigmoid, "sigmoid"],
      [(x) => x * 3 - 1, "none"],
    ];
    for (const [f, name] of table) expect(recognise(f)?.activation).toBe(name);
    expect(recognise((x) => x * 3 - 1)).toMatchObject({ scale: 3 + -1 + 1, shift: -1 });
    for (const f of [(x: number) => x * x, Math.exp, (x: number) => x * sigmoid(1.6 * x), (x: number) => 1 / x])
      expect(recognise(f)).toBe(null);
  });
});

describe("reshapeStrides", () => {
  it("walks the same elements in the same order, or says that it cannot (property, 2,000 shapes)", () => {
    const next = random(3);
    let views = 0;
    for (let i = 0; i < 2000; i++) {
      const dims = Array.from({ length: 1 + next(4) }, () => 1 + next(4));
      const perm = dims.map((_, axis) => axis).toSorted(() => next(3) - 1);
      const own = rowMajor(dims);
      const [shape, strides] = [perm.map((axis) => dims[axis] ?? 1), perm.map((axis) => own[axis] ?? 0)];
      const count = dims.reduce((a, b) => a * b, 1);
      const outer = [1, 2, 3, 4, 6, 8].filter((size) => count % size === 0)[next(3)] ?? 1;
      const to = [outer, count / outer];
      const found = reshapeStrides(shape, strides, to);
      if (found === null) continue;
      views++;
      const list = (d: readonly number[], s: readonly number[]): number[] => {
        const order: number[] = [];
        walk(d, s, 0, (from) => order.push(from));
        return order;
      };
      expect(list(to, found)).toEqual(list(shape, strides));
    }
    expect(views).toBeGreaterThan(500);
  });
});

describe("lower", () => {
  const graph = readOnnx(onnxOf("vit"));
  const replaced = (change: (node: Node) => Partial<Node>): Graph => ({
    ...graph,
    nodes: graph.nodes.map((node) => ({ ...node, ...change(node) })),
  });

  it("makes the steps that a transformer has, and nothing else", () => {
    const kinds = lower(graph).steps.map(({ kind }) => kind);
    const count = (kind: string): number => kinds.filter((one) => one === kind).length;
    expect([count("linear"), count("attention"), count("layer_norm"), count("map")]).toEqual([13, 2, 5, 0]);
    expect(lower(readOnnx(onnxOf("written-out"))).steps.map(({ kind }) => kind)).toContain("mean");
  });

  it("names node and operator of what it lacks", () => {
    const table: [(node: Node) => Partial<Node>, RegExp][] = [
      [({ op }) => (op === "Softmax" ? { op: "Hardmax" } : {}), /^Hardmax \(node \/softmax_\d+\): /],
      [({ op }) => (op === "Erf" ? { op: "Exp" } : {}), /chain of operators that is no known activation/],
      [
        ({ op }) => (op === "Conv" ? { attributes: new Map([["pads", attribute([1, 1, 1, 1])]]) } : {}),
        /^Conv .*padding/,
      ],
      [({ op }) => (op === "LayerNormalization" ? { op: "GroupNormalization" } : {}), /^GroupNormalization/],
      [({ op, inputs }) => (op === "Softmax" ? { op: "Relu", inputs } : {}), /^Relu/],
    ];
    for (const [change, message] of table) {
      expect(() => lower(replaced(change))).toThrow(UnsupportedGraph);
      expect(() => lower(replaced(change))).toThrow(message);
    }
    const inputs = [...graph.inputs, { name: "image_grid_thw", dtype: 7, dims: ["n", 3] }];
    expect(() => lower({ ...graph, inputs })).toThrow("Input image_grid_thw [n, 3]");
  });
});

function attribute(ints: readonly number[]) {
  return { f: 0, i: 0, s: "", ints, floats: [], t: null };
}

describe("compileGraph on hostile bytes", () => {
  it("refuses truncations and changed bytes by OnnxError or a named reason, whatever they are", () => {
    const next = random(4);
    const onnx = onnxOf("written-out");
    // Weights are most of the file and any float is a weight: the structure around them is what is changed.
    const structural = Array.from(onnx.keys()).filter((at) => at % 4 === 0 || at > onnx.length - 4000);
    let refused = 0;
    for (let i = 0; i < 600; i++) {
      const changed = i % 3 === 0 ? onnx.slice(0, next(onnx.length)) : onnx.slice();
      for (let n = next(4); n >= 0; n--) changed[structural[next(structural.length)] ?? 0] = next(256);
      try {
        if ("unsupported" in compileGraph(changed)) refused++;
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(OnnxError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(200);
    expect(Object.keys(GOLDEN)).toHaveLength(3);
  });
});
