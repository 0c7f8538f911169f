import * as z from "zod";
import { MAX_GRAMMAR_CHARS, MAX_LOGIT_BIAS, MIN_REPETITION_PENALTY } from "../limits/limits.ts";

/** Rises when a reader of the old frames would misread the new ones. */
export const FRAME_PROTOCOL = 1;

export const FRAME_CONTENT_TYPE = "application/vnd.fovea.frame";

/** A sha256: 64 lower-case hexadecimal digits. */
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const uint = z.int().nonnegative();
const tokenId = z.int().min(0).max(0x7fffffff);

/** How the next token is chosen. Names and ranges follow the OpenAI API and, beyond it, vLLM's SamplingParams. */
export const samplingSchema = z.strictObject({
  /** Absent where the client named none: the answer may then go on while context and cache last. */
  max_tokens: z.int().min(1).max(1_048_576).optional(),
  min_tokens: uint.optional(),
  temperature: z.number().min(0).max(2).default(1),
  top_p: z.number().gt(0).max(1).default(1),
  top_k: z.int().min(0).max(1_048_576).default(0),
  min_p: z.number().min(0).max(1).default(0),
  repetition_penalty: z.number().min(MIN_REPETITION_PENALTY).max(10).default(1),
  presence_penalty: z.number().min(-2).max(2).default(0),
  frequency_penalty: z.number().min(-2).max(2).default(0),
  /** token id -> added to its logit */
  logit_bias: z
    .array(z.tuple([tokenId, z.number().min(-100).max(100)]))
    .max(MAX_LOGIT_BIAS)
    .default([]),
  seed: z.int().optional(),
  n: z.int().min(1).max(8).default(1),
  /** How many alternatives per token to report; absent: none, 0: only the chosen one. */
  logprobs: z.int().min(0).max(20).optional(),
  stop_token_ids: z.array(tokenId).max(64).default([]),
  ignore_eos: z.boolean().default(false),
  /** What the answer must follow, as text: a JSON schema, or a structural tag of XGrammar. One of them at most. */
  json_schema: z.string().max(MAX_GRAMMAR_CHARS).optional(),
  structural_tag: z.string().max(MAX_GRAMMAR_CHARS).optional(),
});

/** A run of `length` placeholder ids at `offset` in `token_ids` that the features of one picture replace. */
export const featureSchema = z.strictObject({
  modality: z.enum(["image", "video", "audio"]),
  /** Feature key: names the content for caches. */
  hash: digest,
  offset: uint,
  length: z.int().positive(),
  /** First row of the picture's features that this run takes; above 0 where other tokens stand between its tiles. */
  row: uint.default(0),
  /** Name of the tensor in this frame (`features.N` or `pixels.N`); absent when the origin is expected to hold it. */
  tensor: z.string().max(32).optional(),
  /** Further inputs of the encoder when pixels travel: upstream's input name -> name of the tensor in this frame. */
  inputs: z.record(z.string().max(64), z.string().max(64)).optional(),
  /** Grid of patches in time, height, width, which M-RoPE positions need. */
  grid_thw: z.tuple([z.int().positive(), z.int().positive(), z.int().positive()]).optional(),
  /** Height and width of the picture before any resize, pixels. */
  image_sizes: z.tuple([z.int().positive(), z.int().positive()]).optional(),
});

/** What a frame says beside its tensors; travels as a JSON string in `__metadata__.fovea`. */
export const frameMetaSchema = z.strictObject({
  protocol: z.literal(FRAME_PROTOCOL),
  model: z.string().min(1).max(256),
  release: digest,
  contract: digest,
  sampling: samplingSchema,
  features: z.array(featureSchema).max(1024),
  /** Caches share nothing between two salts. The first 16 digits stand for the API key alone: turns are shared out by them. */
  cache_salt: z.string().max(256).default(""),
  /** Larger is served first. */
  priority: z.int().min(-100).max(100).default(0),
  return_token_ids: z.boolean().default(false),
});

export type Sampling = z.output<typeof samplingSchema>;
export type FrameFeature = z.output<typeof featureSchema>;
export type FrameMeta = z.output<typeof frameMetaSchema>;
export type FrameMetaInput = z.input<typeof frameMetaSchema>;
