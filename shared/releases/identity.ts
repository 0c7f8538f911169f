import { digestOf, type Sha256 } from "./digest.ts";
import type { PromptReading, Release, Stage, StageName } from "./schema.ts";

/** Packing of features on the wire that the reference answers are owed for; another one makes other bits. */
const WIRE_CODEC = "f16/1";

type Parts = Pick<Release, "files" | "stages">;

/**
 * Feature id: sha256 over all that makes a feature's bits: processor config, encoder program (files, dtype, runtime),
 * projector, wire codec. A file counts by its content, so a rename or a re-publish keeps the id.
 */
export async function featureIdOf(parts: Parts): Promise<Sha256> {
  return digestOf({
    id: "fovea.feature/1",
    codec: WIRE_CODEC,
    imageProcessor: describe(parts, "image_processor"),
    visionEncoder: describe(parts, "vision_encoder"),
    audioEncoder: describe(parts, "audio_encoder"),
    inputProjector: describe(parts, "input_projector"),
  });
}

/** Contract id: sha256 over feature id and backbone. What edge and origin must agree on before a row is embedded. */
export async function contractIdOf(parts: Parts, featureId: Sha256): Promise<Sha256> {
  return digestOf({
    id: "fovea.contract/1",
    featureId,
    // Token ids mean rows of the embedding table, so the vocabulary is part of the contract too.
    tokenizer: describe(parts, "tokenizer"),
    embedTokens: describe(parts, "embed_tokens"),
    backbone: describe(parts, "backbone"),
  });
}

function describe(
  parts: Parts,
  name: StageName,
): { dtype: string; runtime: string; files: string[]; prompt?: PromptReading } | null {
  const stage: Stage | undefined = parts.stages[name];
  if (stage === undefined) return null;
  return {
    dtype: stage.dtype,
    runtime: stage.runtime,
    files: stage.files.map((file) => parts.files[file]?.sha256 ?? ""),
    ...(stage.prompt && { prompt: stage.prompt }),
  };
}
