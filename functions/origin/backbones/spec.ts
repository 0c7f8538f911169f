import * as z from "zod";
import type { InferenceSession } from "onnxruntime-node";

/**
 * How a graph takes and returns its key/value cache, told by its own signature:
 * - `merged`: `past_key_values.N.*` -> `present.N.*`, past and new concatenated (the layout of transformers.js)
 * - `gqa`: the same names around GroupQueryAttention; past and present may be one buffer with room to spare
 * - `rows`: the past is only read; `new_key_values.N.*` hands back the new rows
 */
export type CacheLayout = "merged" | "gqa" | "rows";

/** What the engine must know of a backbone. All numbers are read from the graph and agree with `config.json`. */
export interface BackboneSpec {
  readonly layout: CacheLayout;
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly hiddenSize: number;
  readonly vocabSize: number;
  /** Positions that one sequence may take (`max_position_embeddings`). */
  readonly maxPositions: number;
  /** Ids that end an answer (`eos_token_id` of generation_config.json, else of config.json). */
  readonly eosTokenIds: readonly number[];
  /** The placeholder id of image positions, where the model has eyes. */
  readonly imageTokenId: number | null;
  /** What the graph's `position_ids` are: `[B, S]`, `[3, B, S]` (M-RoPE: time, row, column), or no input at all. */
  readonly positions: "none" | "sequential" | "mrope";
  /** M-RoPE: patches along one side of what becomes one feature row. */
  readonly mergeSize: number;
  /**
   * True when a graph quantizes activations with one scale per tensor (DynamicQuantizeLinear): every token's value then
   * depends on which others run beside it, so prompts run whole and alone, and no prefix is reused.
   */
  readonly entangled: boolean;
}

const tokenIds = z.union([
  z
    .int()
    .nonnegative()
    .transform((id) => [id]),
  z.array(z.int().nonnegative()).max(64),
]);

const textConfig = z.object({
  num_hidden_layers: z.int().positive(),
  num_attention_heads: z.int().positive(),
  num_key_value_heads: z.int().positive().optional(),
  head_dim: z.int().positive().nullish(),
  hidden_size: z.int().positive(),
  vocab_size: z.int().positive(),
  max_position_embeddings: z.int().positive(),
  eos_token_id: tokenIds.nullish(),
});

/** `config.json` of a release: the text model's numbers stand at the top, or under `text_config` where there are eyes. */
const modelConfig = z.object({
  text_config: z.unknown().optional(),
  image_token_index: z.int().nonnegative().optional(),
  image_token_id: z.int().nonnegative().optional(),
  eos_token_id: tokenIds.nullish(),
  vision_config: z.object({ spatial_merge_size: z.int().positive().max(64).nullish() }).nullish(),
});

const generationConfig = z.object({ eos_token_id: tokenIds.nullish() });

export interface GraphFacts {
  readonly inputs: readonly InferenceSession.ValueMetadata[];
  readonly outputs: readonly InferenceSession.ValueMetadata[];
  /** Names of the operators that matter here and occur in the graph. */
  readonly operators: ReadonlySet<string>;
}

/**
 * Reads a backbone's numbers from its graph and checks that `config.json` says the same.
 * @throws Error naming the number on which graph and configuration differ: the release is broken, and is not served
 */
export function readSpec(graph: GraphFacts, config: unknown, generation: unknown): BackboneSpec {
  const top = modelConfig.parse(config);
  const text = textConfig.parse(top.text_config ?? config);
  const ends = generationConfig.parse(generation ?? {}).eos_token_id ?? text.eos_token_id ?? top.eos_token_id ?? [];

  const past = shapeOf(graph.inputs, "past_key_values.0.key");
  const found = {
    num_hidden_layers: graph.inputs.filter(({ name }) => /^past_key_values\.\d+\.key$/.test(name)).length,
    num_key_value_heads: numberAt(past, 1),
    head_dim: numberAt(past, 3),
    hidden_size: numberAt(shapeOf(graph.inputs, "inputs_embeds"), 2),
    vocab_size: numberAt(shapeOf(graph.outputs, "logits"), -1),
  };
  const expected = {
    num_hidden_layers: text.num_hidden_layers,
    num_key_value_heads: text.num_key_value_heads ?? text.num_attention_heads,
    head_dim: text.head_dim ?? text.hidden_size / text.num_attention_heads,
    hidden_size: text.hidden_size,
    vocab_size: text.vocab_size,
  };
  for (const key of Object.keys(expected) as (keyof typeof expected)[]) {
    if (found[key] !== expected[key]) {
      throw new Error(`config.json says ${key} ${expected[key]}, the backbone's graph has ${found[key] ?? "none"}`);
    }
  }
  const outside = ends.find((id) => id >= text.vocab_size);
  if (outside !== undefined) throw new Error(`eos_token_id ${outside} is outside the vocabulary`);

  return {
    layout: readLayout(graph),
    layers: expected.num_hidden_layers,
    kvHeads: expected.num_key_value_heads,
    headDim: expected.head_dim,
    hiddenSize: expected.hidden_size,
    vocabSize: expected.vocab_size,
    maxPositions: text.max_position_embeddings,
    eosTokenIds: ends,
    positions: readPositions(graph),
    mergeSize: top.vision_config?.spatial_merge_size ?? DEFAULT_MERGE_SIZE,
    imageTokenId: top.image_token_index ?? top.image_token_id ?? null,
    entangled: graph.operators.has("DynamicQuantizeLinear"),
  };
}

/** Qwen2-VL's default. */
const DEFAULT_MERGE_SIZE = 2;

function readPositions({ inputs }: GraphFacts): BackboneSpec["positions"] {
  const input = inputs.find(({ name }) => name === "position_ids");
  if (input === undefined || !input.isTensor) return "none";
  if (input.shape.length === 2) return "sequential";
  const [axes] = input.shape;
  if (input.shape.length === 3 && (axes === 3 || typeof axes === "string")) return "mrope";
  throw new Error(`position_ids has the shape [${input.shape.join(", ")}]; [B, S] and [3, B, S] are served.`);
}

function readLayout(graph: GraphFacts): CacheLayout {
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  if (outputs.has("new_key_values.0.key")) return "rows";
  if (!outputs.has("present.0.key")) throw new Error("The backbone's graph returns no key/value cache.");
  return graph.operators.has("GroupQueryAttention") ? "gqa" : "merged";
}

function shapeOf(values: readonly InferenceSession.ValueMetadata[], name: string): readonly (number | string)[] {
  const value = values.find((candidate) => candidate.name === name);
  if (value === undefined || !value.isTensor) throw new Error(`The backbone's graph has no tensor ${name}.`);
  if (value.type !== "float32") throw new Error(`${name} is ${value.type}; this origin runs float32 interfaces.`);
  return value.shape;
}

function numberAt(shape: readonly (number | string)[], index: number): number | undefined {
  const size = shape.at(index);
  return typeof size === "number" ? size : undefined;
}

/** Names of the cache tensors of `layers` layers, in the order in which blocks hold them: `0.key`, `0.value`, `1.key`, ... */
export function cacheTensorNames(layers: number): readonly string[] {
  return Array.from({ length: layers }, (_, layer) => [`${layer}.key`, `${layer}.value`]).flat();
}

/** Bytes that one cached token takes over all layers, float32. */
export function kvBytesPerToken(spec: BackboneSpec): number {
  return spec.layers * 2 * spec.kvHeads * spec.headDim * Float32Array.BYTES_PER_ELEMENT;
}
