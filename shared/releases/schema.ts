import * as z from "zod";
import { MAX_SHARD_BYTES } from "../limits/limits.ts";
import { MAX_FILE_NAME_CHARS, MAX_RELEASE_FILE_BYTES } from "../limits/releases.ts";
import { MODEL_NAME, RELEASE_VERSION } from "./keys.ts";

/**
 * The wire form of a manifest. Strict everywhere: a member that this runtime does not know could change what the others
 * mean, so a manifest that needs one names a higher `minimumRuntime`.
 */

export const STAGE_NAMES = [
  "tokenizer",
  "chat_template",
  "image_processor",
  "vision_encoder",
  "audio_encoder",
  "input_projector",
  "embed_tokens",
  "backbone",
  "output_projector",
  "generator",
] as const;

/** Element types by the names of safetensors and ONNX, as far as stages have them at their borders. */
export const TENSOR_DTYPES = [
  "float32",
  "float16",
  "bfloat16",
  "float64",
  "int8",
  "uint8",
  "int32",
  "int64",
  "bool",
] as const;

export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, "a sha256 has 64 lower-case hex digits");
export const modelNameSchema = z
  .string()
  .regex(MODEL_NAME)
  .refine((name) => !name.includes(".."));
export const releaseVersionSchema = z
  .string()
  .regex(RELEASE_VERSION)
  .refine((version) => !version.includes(".."));

/**
 * A file's path inside the release. Segments begin with a letter or digit, so `..`, `.git`, an absolute path, a drive and
 * `__proto__` cannot be written.
 */
export const fileNameSchema = z
  .string()
  .max(MAX_FILE_NAME_CHARS)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*){0,7}$/, "not a plain relative path");

const shardSchema = z.strictObject({ sha256: sha256Schema, size: z.int().min(1).max(MAX_SHARD_BYTES) }).readonly();

const fileSchema = z
  .strictObject({
    sha256: sha256Schema,
    size: z.int().min(1).max(MAX_RELEASE_FILE_BYTES),
    shards: z.array(shardSchema).min(1).readonly(),
  })
  .readonly();

const tensorSchema = z
  .strictObject({
    name: z.string().min(1).max(200),
    dtype: z.enum(TENSOR_DTYPES),
    /** A name is a dimension that is free, as ONNX has it. */
    shape: z
      .array(z.union([z.int().min(0), z.string().min(1).max(200)]))
      .max(8)
      .readonly(),
  })
  .readonly();

const promptSchema = z
  .strictObject({
    /** `prefix`: all of the prompt sees all of it, so that it is one call and no part of it can be reused; answers are causal. */
    attention: z.enum(["causal", "prefix"]),
    /** The position of the first token. */
    firstPosition: z.int().min(0).max(1),
  })
  .readonly();

const stageSchema = z
  .strictObject({
    placement: z.enum(["edge", "origin"]),
    /** The split point may move this stage from the edge to the origin, so the origin holds its files too. */
    movable: z.boolean(),
    /** The first is the program (graph, template, compiled tokenizer), the others are what it needs. */
    files: z.array(fileNameSchema).min(1).max(64).readonly(),
    /** By the names of transformers.js: `fp32`, `fp16`, `q8`, `q4`; `none` for a stage without weights. */
    dtype: z.string().regex(/^[a-z0-9_]{1,24}$/),
    /** What runs the program, `name@version`: another runtime may round differently. */
    runtime: z.string().regex(/^[a-z0-9._/-]{1,60}@[0-9A-Za-z.-]{1,40}$/),
    inputs: z.array(tensorSchema).max(512).readonly(),
    outputs: z.array(tensorSchema).max(512).readonly(),
    /** Resident memory while it serves, loading included. */
    memoryBytes: z.int().min(0),
    /** How a backbone reads a prompt; absent: causally, from position 0. */
    prompt: promptSchema.exactOptional(),
  })
  .readonly();

export const releaseSchema = z
  .strictObject({
    schema: z.literal("fovea.release/1"),
    name: modelNameSchema,
    version: releaseVersionSchema,
    /** `model_type` of config.json: picks the family's rules (token expansion, positions). */
    modelType: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
    /** SPDX identifier, or `LicenseRef-...`; `NOASSERTION` when the model card names none. */
    license: z.string().regex(/^[A-Za-z0-9.+-]{1,64}$/),
    minimumRuntime: z.string().regex(/^\d{1,5}\.\d{1,5}\.\d{1,5}$/),
    files: z.record(fileNameSchema, fileSchema).readonly(),
    stages: z.partialRecord(z.enum(STAGE_NAMES), stageSchema).readonly(),
    featureId: sha256Schema,
    contractId: sha256Schema,
  })
  .readonly();

export type StageName = (typeof STAGE_NAMES)[number];
export type Release = z.infer<typeof releaseSchema>;
export type ReleaseFile = z.infer<typeof fileSchema>;
export type Shard = z.infer<typeof shardSchema>;
export type Stage = z.infer<typeof stageSchema>;
export type PromptReading = z.infer<typeof promptSchema>;
export type StageTensor = z.infer<typeof tensorSchema>;
export type TensorDtype = (typeof TENSOR_DTYPES)[number];
