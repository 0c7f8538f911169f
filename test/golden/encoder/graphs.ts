import { encoderGraph, type EncoderShape } from "../../../bench/graphs/encoder.ts";
import { OnnxWriter } from "../../../bench/graphs/onnx-writer.ts";

/** Small encoders that between them hold every pattern that the compiler knows. */

const small = { image: 32, patch: 8, width: 32, layers: 2, heads: 2, mlp: 48 };

/** CLS token, erf-GELU; no CLS, tanh-GELU, pixel shuffle and a projector of odd width. */
const shapes: readonly EncoderShape[] = [
  { name: "vit", ...small, cls: true, activation: "gelu" },
  { name: "idefics3", ...small, cls: false, activation: "gelu_tanh", projector: { factor: 2, width: 20 } },
];

function wave(count: number, step: number, scale = 1, mean = 0): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => mean + scale * Math.sin(1 + i * step));
}

/**
 * What exporters write out: patches by reshape and MatMul, LayerNorm as mean, variance and quotient, one product for q, k and
 * v with Split, a gated MLP with SiLU, quick GELU, Gemm, and the mean over all rows at the end.
 */
function writtenOut(): Uint8Array {
  const onnx = new OnnxWriter();
  const [side, patch, width] = [24, 8, 32];
  const grid = side / patch;
  const k = 3 * patch * patch;
  const linear = (x: string, from: number, to: number, step: number): string =>
    onnx.node("MatMul", [x, onnx.constant(wave(from * to, step, 1 / Math.sqrt(from)), [from, to])]);
  const norm = (x: string, step: number): string => {
    const mean = (y: string): string => onnx.node("ReduceMean", [y], { axes: [-1], keepdims: 1 });
    const centred = onnx.node("Sub", [x, mean(x)]);
    const variance = mean(onnx.node("Pow", [centred, onnx.scalar(2)]));
    const deviation = onnx.node("Sqrt", [onnx.node("Add", [variance, onnx.scalar(1e-5)])]);
    const gamma = onnx.constant(wave(width, step, 0.2, 1), [width]);
    const scaled = onnx.node("Mul", [onnx.node("Div", [centred, deviation]), gamma]);
    return onnx.node("Add", [scaled, onnx.constant(wave(width, step * 2, 0.1), [width])]);
  };
  let x = onnx.node("Reshape", ["pixel_values", onnx.ints(1, 3, grid, patch, grid, patch)]);
  x = onnx.node("Transpose", [x], { perm: [0, 2, 4, 1, 3, 5] });
  x = linear(onnx.node("Reshape", [x, onnx.ints(1, grid * grid, k)]), k, width, 0.37);
  x = onnx.node("Add", [x, onnx.constant(wave(grid * grid * width, 0.11, 0.3), [1, grid * grid, width])]);
  const qkv = onnx.node("Reshape", [linear(norm(x, 0.5), width, 3 * width, 0.71), onnx.ints(1, -1, 3, 2, width / 2)]);
  const parts = onnx.nodes("Split", [onnx.node("Transpose", [qkv], { perm: [2, 0, 3, 1, 4] })], 3, { axis: 0 });
  const [q = "", key = "", v = ""] = parts.map((part) => onnx.node("Squeeze", [part, onnx.ints(0)]));
  const root = onnx.scalar((width / 2) ** -0.25);
  const keys = onnx.node("Transpose", [onnx.node("Mul", [key, root])], { perm: [0, 1, 3, 2] });
  const scores = onnx.node("MatMul", [onnx.node("Mul", [q, root]), keys]);
  const mixed = onnx.node("MatMul", [onnx.node("Softmax", [scores], { axis: -1 }), v]);
  const joined = onnx.node("Reshape", [onnx.node("Transpose", [mixed], { perm: [0, 2, 1, 3] }), onnx.ints(0, 0, -1)]);
  x = onnx.node("Add", [linear(joined, width, width, 0.29), x]);
  const y = norm(x, 0.8);
  const gate = linear(y, width, 40, 0.53);
  const gated = onnx.node("Mul", [onnx.node("Mul", [onnx.node("Sigmoid", [gate]), gate]), linear(y, width, 40, 0.61)]);
  x = onnx.node("Add", [x, linear(gated, 40, width, 0.41)]);
  const flat = onnx.node("Reshape", [x, onnx.ints(-1, width)]);
  const weight = onnx.constant(wave(24 * width, 0.23, 0.2), [24, width]);
  const hidden = onnx.node("Gemm", [flat, weight, onnx.constant(wave(24, 0.9, 0.1), [24])], { transB: 1 });
  const quick = onnx.node("Mul", [hidden, onnx.node("Sigmoid", [onnx.node("Mul", [onnx.scalar(1.702), hidden])])]);
  const rows = onnx.node("Reshape", [quick, onnx.ints(1, -1, 24)]);
  return onnx.finish(onnx.node("ReduceMean", [rows], { axes: [1], keepdims: 1 }), ["n", 3, side, side], ["n", 1, 24]);
}

export const GRAPHS: Readonly<Record<string, { readonly onnx: () => Uint8Array; readonly side: number }>> = {
  ...Object.fromEntries(shapes.map((shape) => [shape.name, { onnx: () => encoderGraph(shape), side: shape.image }])),
  "written-out": { onnx: writtenOut, side: 24 },
};

/** A picture that needs no file. */
export function picture(side: number): Float32Array {
  return Float32Array.from({ length: 3 * side * side }, (_, i) => Math.fround(Math.fround((i * 7919) % 255) / 127.5 - 1));
}
