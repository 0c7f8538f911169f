import type { ChannelDocument } from "./channel.ts";
import type { BlobSource } from "./blob-source.ts";
import { sha256Hex } from "./digest.ts";
import { contractIdOf, featureIdOf } from "./identity.ts";
import { blobKey, manifestKey } from "./keys.ts";
import {
  releaseDigest,
  serializeRelease,
  type Release,
  type ReleaseFile,
  type ReleaseRef,
  type Shard,
  type Stage,
} from "./release.ts";

/** A release of a few bytes for tests: one file of two shards, two of one, and every object of its bucket by key. */
export interface TinyRelease {
  readonly release: Release;
  readonly ref: ReleaseRef;
  readonly objects: Map<string, Uint8Array<ArrayBuffer>>;
}

export const TINY_MODEL = "tiny";
export const TINY_FILE = "onnx/vision_encoder.onnx";

export async function tinyRelease(version = "1.0.0", content = "weights of a tiny encoder"): Promise<TinyRelease> {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>();
  const encode = (text: string) => new Uint8Array(new TextEncoder().encode(text));
  const files = {
    [TINY_FILE]: await addFile(objects, [encode(content.slice(0, 10)), encode(content.slice(10))]),
    "tokenizer.bin": await addFile(objects, [encode("tokens")]),
    "onnx/decoder_model_merged.onnx": await addFile(objects, [encode(`backbone of ${content}`)]),
  };
  const stages = {
    vision_encoder: tinyStage("edge", TINY_FILE),
    tokenizer: tinyStage("edge", "tokenizer.bin"),
    embed_tokens: tinyStage("origin", "tokenizer.bin"),
    backbone: tinyStage("origin", "onnx/decoder_model_merged.onnx"),
  };
  const featureId = await featureIdOf({ files, stages });
  const release: Release = {
    schema: "fovea.release/1",
    name: TINY_MODEL,
    version,
    modelType: "llava",
    license: "Apache-2.0",
    minimumRuntime: "0.1.0",
    files,
    stages,
    featureId,
    contractId: await contractIdOf({ files, stages }, featureId),
  };
  const ref = { version, digest: await releaseDigest(release) };
  objects.set(manifestKey(TINY_MODEL, version), serializeRelease(release));
  return { release, ref, objects };
}

async function addFile(
  objects: Map<string, Uint8Array<ArrayBuffer>>,
  parts: readonly Uint8Array<ArrayBuffer>[],
): Promise<ReleaseFile> {
  const shards: Shard[] = [];
  for (const part of parts) {
    const sha256 = await sha256Hex(part);
    objects.set(blobKey(sha256), part);
    shards.push({ sha256, size: part.length });
  }
  const whole = new Uint8Array(await new Blob([...parts]).arrayBuffer());
  return { sha256: await sha256Hex(whole), size: whole.length, shards };
}

function tinyStage(placement: Stage["placement"], file: string): Stage {
  return {
    placement,
    movable: false,
    files: [file],
    dtype: "fp32",
    runtime: "onnxruntime-web@1.30.0",
    inputs: [{ name: "pixel_values", dtype: "float32", shape: ["batch_size", 3, 8, 8] }],
    outputs: [{ name: "image_features", dtype: "float32", shape: ["batch_size", 1, 4] }],
    memoryBytes: 1000,
  };
}

/** A source over a map, in streams of a few bytes as a network would give them. */
export function mapSource(name: string, objects: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): BlobSource {
  return {
    name,
    get: (key) => {
      const bytes = objects.get(key);
      return Promise.resolve(bytes === undefined ? null : streamOf(bytes));
    },
  };
}

export function streamOf(bytes: Uint8Array, step = 3): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, at + step));
      at += step;
    },
  });
}

/** A channel document that names `stable`, issued on 1 January 2026 for three months. */
export function tinyChannel(
  sequence: number,
  stable: TinyRelease["ref"],
  change: Partial<ChannelDocument> = {},
): ChannelDocument {
  return {
    schema: "fovea.channel/1",
    model: TINY_MODEL,
    channel: "production",
    sequence,
    issuedAt: "2026-01-01T00:00:00.000Z",
    expiresAt: "2026-04-01T00:00:00.000Z",
    stable,
    canary: null,
    retired: null,
    history: [],
    ...change,
  };
}
