import { OnnxWriter } from "./onnx-writer.ts";
import { int4Linear } from "./encoder.ts";
import { Random } from "./random.ts";

/** A Llama by its dimensions. */
export interface TextShape {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly mlp: number;
  readonly vocab: number;
  readonly positions: number;
  readonly ropeTheta: number;
}

/** HuggingFaceTB/SmolLM2-135M-Instruct, by its config.json; SmolVLM-256M's decoder but for the vocabulary. */
export const SMOLLM2_135M: TextShape = {
  width: 576,
  layers: 30,
  heads: 9,
  kvHeads: 3,
  headDim: 64,
  mlp: 1536,
  vocab: 49_152,
  positions: 8192,
  ropeTheta: 100_000,
};

/** A shape in the words of `config.json`. */
export function llamaConfig(shape: TextShape) {
  return {
    model_type: "llama",
    hidden_size: shape.width,
    intermediate_size: shape.mlp,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    num_hidden_layers: shape.layers,
    head_dim: shape.headDim,
    max_position_embeddings: shape.positions,
    rope_theta: shape.ropeTheta,
    vocab_size: shape.vocab,
  };
}

const EPSILON = { float: 1e-5 };
const INT32 = 6;
const FLOAT = 1;

/** `input_ids [B, S]` -> `inputs_embeds [B, S, width]`, the table in float16. */
export function embedTokensGraph({ vocab, width }: TextShape): Uint8Array {
  const onnx = new OnnxWriter();
  const random = new Random(2);
  // The bits of float16 numbers of magnitude 0.0156 to 0.0312, either sign: the deviation that Llamas start with.
  const table = new Uint16Array(vocab * width);
  for (let i = 0; i < table.length; i++) table[i] = 0x2400 | (random.uint() & 0x83ff);
  const rows = onnx.node("Gather", [onnx.constant(table, [vocab, width]), "input_ids"], { axis: 0 });
  onnx.named("Cast", [rows], ["inputs_embeds"], { to: FLOAT });
  onnx.input("input_ids", ["batch_size", "sequence_length"], "int64");
  onnx.output("inputs_embeds", ["batch_size", "sequence_length", width]);
  return onnx.model();
}

/** Writes `x [.., k]` times random weights `[k, n]`. */
export type Product = (onnx: OnnxWriter, random: Random, x: string, k: number, n: number) => string;

/** The decoder around GroupQueryAttention, every product in 4 bits, as the hub's `_q4` files have it, or another. */
export function decoderGraph(shape: TextShape, product: Product = int4Linear): Uint8Array {
  const { width, layers, heads, kvHeads, headDim, mlp, vocab, positions } = shape;
  const onnx = new OnnxWriter();
  const random = new Random(3);
  const ones = (count: number): string => onnx.constant(new Float32Array(count).fill(1), [count]);
  const norm = (x: string): string =>
    onnx.node("SimplifiedLayerNormalization", [x, ones(width)], { axis: -1, epsilon: EPSILON, stash_type: 1 });
  const linear = (x: string, k: number, n: number): string => product(onnx, random, x, k, n);

  // Upstream's mask says how far each sequence goes: GroupQueryAttention wants its last position, and the longest.
  const lengths = onnx.node("ReduceSum", ["attention_mask", onnx.ints(1)], { keepdims: 0 });
  const last = onnx.node("Cast", [onnx.node("Sub", [lengths, onnx.ints(1)])], { to: INT32 });
  const longest = onnx.node("Gather", [onnx.node("Shape", ["attention_mask"]), onnx.integer(1)], { axis: 0 });
  const total = onnx.node("Cast", [longest], { to: INT32 });
  const [cos, sin] = rotary(shape).map((table) => onnx.constant(table, [positions, headDim / 2]));

  let x = "inputs_embeds";
  for (let layer = 0; layer < layers; layer++) {
    const past = ["key", "value"].map((name) => `past_key_values.${layer}.${name}`);
    const present = ["key", "value"].map((name) => `present.${layer}.${name}`);
    const qkv = linear(norm(x), width, (heads + 2 * kvHeads) * headDim);
    const attended = `attention_${layer}`;
    onnx.named(
      "GroupQueryAttention",
      [qkv, "", "", ...past, last, total, cos ?? "", sin ?? ""],
      [attended, ...present],
      { num_heads: heads, kv_num_heads: kvHeads, do_rotary: 1 },
      "com.microsoft",
    );
    x = onnx.node("Add", [x, linear(attended, heads * headDim, width)]);
    const inner = norm(x);
    const gate = linear(inner, width, mlp);
    const gated = onnx.node("Mul", [onnx.node("Mul", [gate, onnx.node("Sigmoid", [gate])]), linear(inner, width, mlp)]);
    x = onnx.node("Add", [x, linear(gated, mlp, width)]);
    for (const name of past) onnx.input(name, ["batch_size", kvHeads, "past_sequence_length", headDim]);
    for (const name of present) onnx.output(name, ["batch_size", kvHeads, "present_sequence_length", headDim]);
  }
  onnx.named("Identity", [linear(norm(x), width, vocab)], ["logits"]);
  onnx.input("inputs_embeds", ["batch_size", "sequence_length", width]);
  onnx.input("attention_mask", ["batch_size", "total_sequence_length"], "int64");
  onnx.input("position_ids", ["batch_size", "sequence_length"], "int64");
  onnx.output("logits", ["batch_size", "sequence_length", vocab]);
  return onnx.model();
}

/** Cosines and sines, `[positions, headDim / 2]`. */
function rotary({ positions, headDim, ropeTheta }: TextShape): [Float32Array, Float32Array] {
  const half = headDim / 2;
  const angle = (i: number): number => Math.floor(i / half) * ropeTheta ** (-(i % half) / half);
  const table = (of: (angle: number) => number) =>
    Float32Array.from({ length: positions * half }, (_, i) => of(angle(i)));
  return [table(Math.cos), table(Math.sin)];
}
