import { OnnxWriter } from "./onnx-writer.ts";
import { Random } from "./random.ts";

/** An encoder by its real dimensions, with random weights: what a bench measures depends on nothing else. */
export interface EncoderShape {
  readonly name: string;
  readonly image: number;
  readonly patch: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly mlp: number;
  readonly cls: boolean;
  readonly activation: "gelu" | "gelu_tanh";
  /** The graph takes `[batch, tiles, 3, H, W]`, any number of them, as Idefics3's does; else one picture `[1, 3, H, W]`. */
  readonly tiles?: true;
  /** Pixel shuffle by `factor`, then one linear of `width` outputs, as Idefics3 has it. */
  readonly projector?: { readonly factor: number; readonly width: number };
}

const SMOLVLM: EncoderShape = {
  name: "SmolVLM encoder at 512",
  image: 512,
  patch: 16,
  width: 768,
  layers: 12,
  heads: 12,
  mlp: 3072,
  cls: false,
  activation: "gelu_tanh",
  projector: { factor: 4, width: 576 },
};

/** SmolVLM's encoder as its graph takes pictures: in tiles. */
export const SMOLVLM_IN_TILES: EncoderShape = { ...SMOLVLM, tiles: true };

export const SHAPES: readonly EncoderShape[] = [
  {
    name: "ViT-S/16 at 224",
    image: 224,
    patch: 16,
    width: 384,
    layers: 12,
    heads: 6,
    mlp: 1536,
    cls: true,
    activation: "gelu",
  },
  {
    name: "SigLIP-B/16 at 224",
    image: 224,
    patch: 16,
    width: 768,
    layers: 12,
    heads: 12,
    mlp: 3072,
    cls: false,
    activation: "gelu_tanh",
  },
  SMOLVLM,
];

/** How weights are kept: as they are, as onnxruntime's dynamic quantisation has them, or in blocks of 32 by MatMulNBits. */
export type WeightKind = "float32" | "int8" | "int4";

class EncoderWriter {
  readonly onnx = new OnnxWriter();
  readonly #random = new Random();
  readonly #kind: WeightKind;

  constructor(kind: WeightKind) {
    this.#kind = kind;
  }

  vector(count: number, deviation: number, mean = 0): string {
    return this.onnx.constant(this.#random.normal(count, deviation, mean), [count]);
  }

  weights(count: number, deviation: number, dims: readonly number[]): string {
    return this.onnx.constant(this.#random.normal(count, deviation), dims);
  }

  linear(x: string, k: number, n: number, bias = true): string {
    const product = this.#product(x, k, n);
    return bias ? this.onnx.node("Add", [product, this.vector(n, 0.02)]) : product;
  }

  #product(x: string, k: number, n: number): string {
    if (this.#kind === "int4") return int4Linear(this.onnx, this.#random, x, k, n);
    const weight = this.#random.normal(k * n, 1 / Math.sqrt(k));
    if (this.#kind === "int8") return int8Linear(this.onnx, x, weight, k, n);
    return this.onnx.node("MatMul", [x, this.onnx.constant(weight, [k, n])]);
  }

  norm(x: string, width: number): string {
    const inputs = [x, this.vector(width, 0.1, 1), this.vector(width, 0.05)];
    return this.onnx.node("LayerNormalization", inputs, { axis: -1, epsilon: { float: 1e-6 } });
  }

  activation(x: string, kind: EncoderShape["activation"]): string {
    const { onnx } = this;
    if (kind === "gelu") {
      const erf = onnx.node("Erf", [onnx.node("Div", [x, onnx.scalar(Math.SQRT2)])]);
      const gated = onnx.node("Mul", [x, onnx.node("Add", [erf, onnx.scalar(1)])]);
      return onnx.node("Mul", [gated, onnx.scalar(0.5)]);
    }
    const cube = onnx.node("Mul", [onnx.node("Pow", [x, onnx.scalar(3)]), onnx.scalar(0.044715)]);
    const inner = onnx.node("Mul", [onnx.node("Add", [x, cube]), onnx.scalar(Math.sqrt(2 / Math.PI))]);
    const gate = onnx.node("Add", [onnx.node("Tanh", [inner]), onnx.scalar(1)]);
    return onnx.node("Mul", [onnx.node("Mul", [x, onnx.scalar(0.5)]), gate]);
  }

  attention(x: string, { width, heads }: EncoderShape): string {
    const { onnx } = this;
    const d = width / heads;
    const shape = onnx.ints(0, -1, heads, d);
    const split = (perm: readonly number[]): string =>
      onnx.node("Transpose", [onnx.node("Reshape", [this.linear(x, width, width), shape])], { perm });
    const [q, k, v] = [split([0, 2, 1, 3]), split([0, 2, 3, 1]), split([0, 2, 1, 3])];
    const scores = onnx.node("Mul", [onnx.node("MatMul", [q, k]), onnx.scalar(1 / Math.sqrt(d))]);
    const mixed = onnx.node("MatMul", [onnx.node("Softmax", [scores], { axis: -1 }), v]);
    const joined = onnx.node("Reshape", [
      onnx.node("Transpose", [mixed], { perm: [0, 2, 1, 3] }),
      onnx.ints(0, -1, width),
    ]);
    return this.linear(joined, width, width);
  }
}

/** Activations u8, one scale a tensor (DynamicQuantizeLinear), weights i8, a scale a column: as the hub's `_quantized` files have it. */
export function int8Linear(onnx: OnnxWriter, x: string, weight: Float32Array, k: number, n: number): string {
  const scales = new Float32Array(n);
  // Plain loops: a hundred million weights go through them.
  for (let i = 0; i < weight.length; i++) scales[i % n] = Math.max(scales[i % n] ?? 0, Math.abs(weight[i] ?? 0) / 127);
  const packed = new Int8Array(weight.length);
  for (let i = 0; i < weight.length; i++) packed[i] = Math.round((weight[i] ?? 0) / (scales[i % n] || 1));
  const [q = "", scale = "", zero = ""] = onnx.nodes("DynamicQuantizeLinear", [x], 3);
  const zeros = onnx.constant(new Int8Array(n), [n]);
  const sums = onnx.node("MatMulInteger", [q, onnx.constant(packed, [k, n]), zero, zeros]);
  const both = onnx.node("Mul", [scale, onnx.constant(scales, [n])]);
  return onnx.node("Mul", [onnx.node("Cast", [sums], { to: 1 }), both]);
}

/** Weights in [K/32] blocks of 32 4-bit numbers a column, each with its scale, of deviation 1 / sqrt(K). */
export function int4Linear(
  onnx: OnnxWriter,
  random: Random,
  x: string,
  k: number,
  n: number,
  /** Of MatMulNBits: 4 rounds activations to int8. */
  accuracyLevel = 0,
): string {
  const blocks = k / INT4_BLOCK;
  const codes = random.bytes(n * blocks * (INT4_BLOCK / 2));
  const scales = new Float32Array(n * blocks).fill(1 / (INT4_DEVIATION * Math.sqrt(k)));
  const inputs = [x, onnx.constant(codes, [n, blocks, INT4_BLOCK / 2]), onnx.constant(scales, [n * blocks])];
  const attributes = { K: k, N: n, bits: 4, block_size: INT4_BLOCK, accuracy_level: accuracyLevel };
  return onnx.nodes("MatMulNBits", inputs, 1, attributes, "com.microsoft")[0] ?? "";
}

const INT4_BLOCK = 32;
/** Of a number from 0 to 15, each as likely. */
const INT4_DEVIATION = Math.sqrt((16 ** 2 - 1) / 12);

/** The graph of a pre-norm vision transformer. */
export function encoderGraph(shape: EncoderShape, kind: WeightKind = "float32"): Uint8Array {
  const writer = new EncoderWriter(kind);
  const { onnx } = writer;
  const { image, patch, width, layers, mlp, cls, projector } = shape;
  const grid = image / patch;
  const kernel = writer.weights(width * 3 * patch * patch, 1 / Math.sqrt(3 * patch * patch), [width, 3, patch, patch]);
  const batch = shape.tiles === true ? -1 : 1;
  const pictures =
    shape.tiles === true ? onnx.node("Reshape", ["pixel_values", onnx.ints(-1, 3, image, image)]) : "pixel_values";
  const conv = onnx.node("Conv", [pictures, kernel, writer.vector(width, 0.02)], {
    kernel_shape: [patch, patch],
    strides: [patch, patch],
  });
  let x = onnx.node("Transpose", [onnx.node("Reshape", [conv, onnx.ints(batch, width, grid * grid)])], {
    perm: [0, 2, 1],
  });
  let rows = grid * grid;
  if (cls) {
    x = onnx.node("Concat", [writer.weights(width, 0.02, [1, 1, width]), x], { axis: 1 });
    rows++;
  }
  x = onnx.node("Add", [x, writer.weights(rows * width, 0.2, [1, rows, width])]);
  for (let layer = 0; layer < layers; layer++) {
    x = onnx.node("Add", [x, writer.attention(writer.norm(x, width), shape)]);
    const hidden = writer.activation(writer.linear(writer.norm(x, width), width, mlp), shape.activation);
    x = onnx.node("Add", [x, writer.linear(hidden, mlp, width)]);
  }
  x = writer.norm(x, width);
  if (projector === undefined) return onnx.finish(x, [1, 3, image, image], [1, rows, width]);
  const { factor } = projector;
  const side = grid / factor;
  x = onnx.node("Reshape", [x, onnx.ints(batch, side, factor, side, factor * width)]);
  x = onnx.node("Transpose", [x], { perm: [0, 1, 3, 2, 4] });
  x = onnx.node("Reshape", [x, onnx.ints(batch, side * side, factor * factor * width)]);
  x = writer.linear(x, factor * factor * width, projector.width, false);
  if (batch === 1) return onnx.finish(x, [1, 3, image, image], [1, side * side, projector.width]);
  return onnx.finish(x, ["batch_size", "num_images", 3, image, image], ["num_tiles", side * side, projector.width]);
}
