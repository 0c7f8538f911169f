import * as z from "zod";
import type { InferenceSession } from "onnxruntime-node";
import type { PromptReading } from "../../../shared/releases/release.ts";
import { CACHE_TYPES, cacheElementBytes, type CacheType } from "./cache-array.ts";

/**
 * How a graph takes and returns its key/value cache, told by its own signature:
 * - `merged`: `past_key_values.N.*` -> `present.N.*`, past and new concatenated (the layout of transformers.js)
 * - `gqa`: the same names around GroupQueryAttention; past and present may be one buffer with room to spare
 * - `rows`: the past is only read; `new_key_values.N.*` hands back the new rows
 */
export type CacheLayout = "merged" | "gqa" | "rows";

/** What the engine must know of a backbone. Numbers are read from the graph and agree with what `config.json` says. */
export interface BackboneSpec {
  readonly layout: CacheLayout;
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Of `past_key_values.*` and what comes back for them. */
  readonly cacheType: CacheType;
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
  /** `prefix`: all tokens of one call see each other, so prompts run whole, and no prefix is reused. */
  readonly attention: PromptReading["attention"];
  /** Sequential positions count from here. */
  readonly firstPosition: number;
}

const tokenIds = z.union([
  z
    .int()
    .nonnegative()
    .transform((id) => [id]),
  z.array(z.int().nonnegative()).max(64),
]);

const size = z.int().positive();

/** Upstream leaves out of a `text_config` what is the class's default: BLIP-2 and LLaVA 1.5 on the hub name but a few. */
const textConfig = z.object({
  num_hidden_layers: size.nullish(),
  num_attention_heads: size.nullish(),
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  hidden_size: size.nullish(),
  vocab_size: size.nullish(),
  max_position_embeddings: size.nullish(),
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
 * @param prompt how prompts are read, as the release says
 * @throws Error naming the number on which graph and configuration differ: the release is broken, and is not served
 */
export function readSpec(
  graph: GraphFacts,
  config: unknown,
  generation: unknown,
  prompt: PromptReading = CAUSAL,
): BackboneSpec {
  const top = modelConfig.parse(config);
  const text = textConfig.parse(top.text_config ?? config);
  const ends = generationConfig.parse(generation ?? {}).eos_token_id ?? text.eos_token_id ?? top.eos_token_id ?? [];

  const past = shapeOf(graph.inputs, "past_key_values.0.key", CACHE_TYPES);
  const found = {
    num_hidden_layers: graph.inputs.filter(({ name }) => /^past_key_values\.\d+\.key$/.test(name)).length,
    num_key_value_heads: numberAt("num_key_value_heads", past, 1),
    head_dim: numberAt("head_dim", past, 3),
    hidden_size: numberAt("hidden_size", shapeOf(graph.inputs, "inputs_embeds"), 2),
    vocab_size: numberAt("vocab_size", shapeOf(graph.outputs, "logits"), -1),
  };
  const { hidden_size: width, num_attention_heads: heads } = text;
  const said = {
    num_hidden_layers: text.num_hidden_layers,
    num_key_value_heads: text.num_key_value_heads ?? heads,
    head_dim: text.head_dim ?? (width && heads ? width / heads : undefined),
    hidden_size: width,
    vocab_size: text.vocab_size,
  };
  for (const key of Object.keys(found) as (keyof typeof found)[]) {
    if (found[key] !== (said[key] ?? found[key])) {
      throw new Error(`config.json says ${key} ${said[key]}, the backbone's graph has ${found[key]}`);
    }
  }
  const outside = ends.find((id) => id >= found.vocab_size);
  if (outside !== undefined) throw new Error(`eos_token_id ${outside} is outside the vocabulary`);

  return {
    layout: readLayout(graph),
    layers: found.num_hidden_layers,
    kvHeads: found.num_key_value_heads,
    headDim: found.head_dim,
    cacheType: readCacheType(graph),
    hiddenSize: found.hidden_size,
    vocabSize: found.vocab_size,
    maxPositions: text.max_position_embeddings ?? DEFAULT_POSITIONS,
    eosTokenIds: ends,
    positions: readPositions(graph),
    mergeSize: top.vision_config?.spatial_merge_size ?? DEFAULT_MERGE_SIZE,
    imageTokenId: top.image_token_index ?? top.image_token_id ?? null,
    entangled: graph.operators.has("DynamicQuantizeLinear"),
    ...prompt,
  };
}

/** One type for all layers: the engine keeps them in blocks of one array. */
function readCacheType({ inputs, outputs }: GraphFacts): CacheType {
  const cache = [...inputs, ...outputs].filter(({ name }) => /^(?:past|present|new)(?:_key_values)?\.\d/.test(name));
  const types = new Set(cache.map((value) => (value.isTensor ? value.type : "no tensor")));
  const type = CACHE_TYPES.find((one) => types.has(one));
  if (types.size === 1 && type !== undefined) return type;
  throw new Error(`The cache of the backbone's graph is ${[...types].join(" and ")}, not ${CACHE_TYPES.join(" or ")}.`);
}

const CAUSAL: PromptReading = { attention: "causal", firstPosition: 0 };

/** Whether a prompt must be one call, of which nothing can be reused. */
export function readsWhole({ entangled, attention }: Pick<BackboneSpec, "entangled" | "attention">): boolean {
  return entangled || attention === "prefix";
}

/** OPT's and LLaMA's default, the smallest of all; the edge assumes the same. */
const DEFAULT_POSITIONS = 2048;

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

function shapeOf(
  values: readonly InferenceSession.ValueMetadata[],
  name: string,
  types: readonly string[] = ["float32"],
): readonly (number | string)[] {
  const value = values.find((candidate) => candidate.name === name);
  if (value === undefined || !value.isTensor) throw new Error(`The backbone's graph has no tensor ${name}.`);
  if (!types.includes(value.type))
    throw new Error(`${name} is ${value.type}; this origin runs ${types.join(" or ")} interfaces.`);
  return value.shape;
}

function numberAt(name: string, shape: readonly (number | string)[], index: number): number {
  const found = shape.at(index);
  if (typeof found !== "number") throw new Error(`The backbone's graph leaves ${name} open.`);
  return found;
}

/** Names of the cache tensors of `layers` layers, in the order in which blocks hold them: `0.key`, `0.value`, `1.key`, ... */
export function cacheTensorNames(layers: number): readonly string[] {
  return Array.from({ length: layers }, (_, layer) => [`${layer}.key`, `${layer}.value`]).flat();
}

/** Bytes that one cached token takes over all layers. */
export function kvBytesPerToken(spec: BackboneSpec): number {
  return spec.layers * 2 * spec.kvHeads * spec.headDim * cacheElementBytes(spec.cacheType);
}
