import { describe, expect, it } from "vitest";
import { OnnxWriter } from "../../../bench/graphs/onnx-writer.ts";
import { compileGraph } from "../../../shared/encoder/compile/compile.ts";
import { compare } from "./against-onnxruntime.ts";
import { picture } from "./graphs.ts";

/**
 * Operators that exporters and onnxruntime's optimiser write whole: each that the compiler takes is compared with native
 * onnxruntime in float32, each that it does not take is named. Sixteen patches of width 16, then the operator.
 */
const [SIDE, PATCH, ROWS, WIDTH] = [16, 4, 16, 16];

type Op = (onnx: OnnxWriter, x: string) => string;
type Attributes = NonNullable<Parameters<OnnxWriter["node"]>[2]>;

/** A node of an operator with its domain before it, as the compiler names it. */
function add(onnx: OnnxWriter, operator: string, inputs: readonly string[], attributes: Attributes = {}): string {
  const at = operator.lastIndexOf(".");
  const [op, domain] = [operator.slice(at + 1), operator.slice(0, Math.max(0, at))];
  return onnx.nodes(op, inputs, 1, attributes, domain)[0] ?? "";
}

function wave(count: number, step: number, scale = 1, mean = 0): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => mean + scale * Math.sin(1 + i * step));
}

const vector = (onnx: OnnxWriter, step: number, mean = 0): string =>
  onnx.constant(wave(WIDTH, step, 0.5, mean), [WIDTH]);

const linear = (onnx: OnnxWriter, x: string, step: number, scale = 0.5): string =>
  onnx.node("MatMul", [x, onnx.constant(wave(WIDTH * WIDTH, step, scale), [WIDTH, WIDTH])]);

/** The patches in the shape of a convolution, [1, 16, 4, 4]. */
function patches(onnx: OnnxWriter): string {
  const kernel = onnx.constant(wave(WIDTH * 3 * PATCH * PATCH, 0.37, 0.3), [WIDTH, 3, PATCH, PATCH]);
  return onnx.node("Conv", ["pixel_values", kernel], { kernel_shape: [PATCH, PATCH], strides: [PATCH, PATCH] });
}

function rowsOf(onnx: OnnxWriter, x: string): string {
  return onnx.node("Transpose", [onnx.node("Reshape", [x, onnx.ints(1, WIDTH, -1)])], { perm: [0, 2, 1] });
}

function graphOf(op: Op, opset: number, rows = ROWS): Uint8Array {
  const onnx = new OnnxWriter();
  return onnx.finish(op(onnx, rowsOf(onnx, patches(onnx))), [1, 3, SIDE, SIDE], [1, rows, WIDTH], opset);
}

const pooled =
  (attributes: Record<string, readonly number[]>): Op =>
  (onnx) =>
    rowsOf(onnx, onnx.node("AveragePool", [patches(onnx)], attributes));

/** Of the weights of q and k: scores of a few units, as encoders have them, and not of hundreds. */
const SMALL = 0.1;

/** q, k and v by three products, `[1, 16, 16]`. */
const attention =
  (op: string, attributes: Attributes, more: (onnx: OnnxWriter) => string[] = () => []): Op =>
  (onnx, x) =>
    add(
      onnx,
      op,
      [linear(onnx, x, 0.71, SMALL), linear(onnx, x, 0.29, SMALL), linear(onnx, x, 0.53), ...more(onnx)],
      attributes,
    );

const fourHeads = { q_num_heads: 4, kv_num_heads: 4 };

const byHeads: Op = (onnx, x) => {
  const split = (step: number): string =>
    onnx.node("Transpose", [onnx.node("Reshape", [linear(onnx, x, step, SMALL), onnx.ints(1, ROWS, 2, 8)])], {
      perm: [0, 2, 1, 3],
    });
  const out = onnx.node("Attention", [split(0.71), split(0.29), split(0.53)], { scale: { float: 0.2 } });
  return onnx.node("Reshape", [onnx.node("Transpose", [out], { perm: [0, 2, 1, 3] }), onnx.ints(1, ROWS, WIDTH)]);
};

/** The sum, the fourth output, goes on beside the LayerNorm, as in a transformer. */
const skipNorm: Op = (onnx, x) => {
  const inputs = [x, linear(onnx, x, 0.71), vector(onnx, 0.3, 1), vector(onnx, 0.4), vector(onnx, 0.6)];
  const attributes = { epsilon: { float: 1e-5 } };
  onnx.named("SkipLayerNormalization", inputs, ["normal", "", "", "sum"], attributes, "com.microsoft");
  return onnx.node("Add", ["normal", linear(onnx, "sum", 0.29)]);
};

const one =
  (op: string, attributes: Attributes = {}, more: (onnx: OnnxWriter) => string[] = () => []): Op =>
  (onnx, x) =>
    add(onnx, op, [linear(onnx, x, 0.71), ...more(onnx)], attributes);

describe("operators against native onnxruntime", () => {
  const taken: [string, Op, number?, number?][] = [
    ["Gelu", one("Gelu"), 20],
    ["Gelu of tanh", one("Gelu", { approximate: "tanh" }), 20],
    ["com.microsoft.Gelu", one("com.microsoft.Gelu")],
    ["com.microsoft.BiasGelu", one("com.microsoft.BiasGelu", {}, (onnx) => [vector(onnx, 0.3)])],
    ["com.microsoft.FastGelu", one("com.microsoft.FastGelu")],
    ["com.microsoft.FastGelu with a bias", one("com.microsoft.FastGelu", {}, (onnx) => [vector(onnx, 0.3)])],
    ["com.microsoft.QuickGelu", one("com.microsoft.QuickGelu")],
    ["com.microsoft.QuickGelu that is SiLU", one("com.microsoft.QuickGelu", { alpha: { float: 1 } })],
    ["Relu", one("Relu")],
    ["Tanh", one("Tanh")],
    ["Sigmoid", one("Sigmoid")],
    ["LayerNormalization without beta", one("LayerNormalization", { axis: -1 }, (onnx) => [vector(onnx, 0.3, 1)])],
    ["com.microsoft.SkipLayerNormalization", skipNorm],
    ["AveragePool", pooled({ kernel_shape: [2, 2], strides: [2, 2] }), 17, 4],
    ["Attention of rows", attention("Attention", fourHeads), 23],
    ["Attention of heads, with a scale", byHeads, 23],
    ["com.microsoft.MultiHeadAttention", attention("com.microsoft.MultiHeadAttention", { num_heads: 2 })],
  ];
  it.each(taken)("%s", async (name, op, opset = 17, rows = ROWS) => {
    const onnx = graphOf(op, opset, rows);
    const found = await compare(onnx, picture(SIDE));
    if (typeof found === "string") throw new Error(found);
    expect([found.rows, found.width]).toEqual([rows, WIDTH]);
    // Attention is in bytes; all else in float32 here.
    const exact = !name.includes("Attention");
    expect(found.cosine).toBeGreaterThan(exact ? 0.999999 : 0.9998);
    expect(Math.abs(found.ratio - 1)).toBeLessThan(exact ? 1e-4 : 1e-2);
  });
});

describe("operators that the compiler does not take", () => {
  const refused: [RegExp, Op][] = [
    [/^Attention \(node \/attention_\d+\): a causal mask/, attention("Attention", { ...fourHeads, is_causal: 1 })],
    [/^Attention .*softcap/, attention("Attention", { ...fourHeads, softcap: { float: 5 } })],
    [/^Attention .*grouped/, attention("Attention", { q_num_heads: 4, kv_num_heads: 2 })],
    [/^Attention .*no number of heads/, attention("Attention", {})],
    [
      /^com\.microsoft\.MultiHeadAttention .*a bias, mask or cache/,
      attention("com.microsoft.MultiHeadAttention", { num_heads: 2 }, (onnx) => [
        onnx.constant(wave(3 * WIDTH, 0.1), [3 * WIDTH]),
      ]),
    ],
    [
      /^com\.microsoft\.Attention \(node \/attention_\d+\)/,
      (onnx, x) =>
        add(
          onnx,
          "com.microsoft.Attention",
          [x, onnx.constant(wave(WIDTH * 3 * WIDTH, 0.1), [WIDTH, 3 * WIDTH]), onnx.constant(wave(48, 0.2), [48])],
          { num_heads: 2 },
        ),
    ],
    [/^com\.microsoft\.QuickGelu .*no known activation/, one("com.microsoft.QuickGelu", { alpha: { float: 2 } })],
    [/^AveragePool .*overlap/, pooled({ kernel_shape: [2, 2], strides: [1, 1] })],
    [/^AveragePool .*overlap/, pooled({ kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 2, 2] })],
    [/^LayerNormalization .*last dimension/, one("LayerNormalization", { axis: 1 }, (onnx) => [vector(onnx, 0.3)])],
    [
      /^com\.microsoft\.SkipLayerNormalization .*mean or deviation/,
      (onnx, x) => onnx.nodes("SkipLayerNormalization", [x, x, vector(onnx, 0.3)], 3, {}, "com.microsoft")[0] ?? "",
    ],
    [
      /^com\.microsoft\.FusedMatMul /,
      (onnx, x) => add(onnx, "com.microsoft.FusedMatMul", [x, onnx.constant(wave(256, 0.1), [WIDTH, WIDTH])]),
    ],
    [/^Elu .*no known activation|^Elu /, one("Elu")],
    [/^Softmax .*no scores/, one("Softmax", { axis: -1 })],
  ];
  it.each(refused)("%s", (message, op) => {
    const compiled = compileGraph(graphOf(op, 23));
    expect("unsupported" in compiled ? compiled.unsupported : "compiled").toMatch(message);
  });
});
