import type { BlobSource } from "./blob-source.ts";
import { sha256Hex } from "./digest.ts";
import { contractIdOf, featureIdOf } from "./identity.ts";
import { blobKey, manifestKey } from "./keys.ts";
import { releaseDigest, serializeRelease, type Release, type ReleaseRef, type Stage } from "./release.ts";

/** A release of a few bytes for tests: one file of two shards, one of one, and every object of its bucket by key. */
export interface TinyRelease {
  readonly release: Release;
  readonly ref: ReleaseRef;
  readonly objects: Map<string, Uint8Array<ArrayBuffer>>;
}

export const TINY_MODEL = "tiny";
export const TINY_FILE = "onnx/vision_encoder.onnx";

export async function tinyRelease(version = "1.0.0", content = "weights of a tiny encoder"): Promise<TinyRelease> {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>();
  const files: Record<string, Release["files"][string]> = {};
  for (const [name, text, cut] of [
    [TINY_FILE, content, 10],
    ["tokenizer.bin", "tokens", 6],
  ] as const) {
    const bytes = new TextEncoder().encode(text);
    const shards = [];
    for (let at = 0; at < bytes.length; at += cut === 6 ? 6 : Math.max(cut, bytes.length - cut)) {
      const part = new Uint8Array(bytes.subarray(at, at + (cut === 6 ? 6 : Math.max(cut, bytes.length - cut))));
      const sha256 = await sha256Hex(part);
      objects.set(blobKey(sha256), part);
      shards.push({ sha256, size: part.length });
    }
    files[name] = { sha256: await sha256Hex(bytes), size: bytes.length, shards };
  }
  const stages = {
    vision_encoder: tinyStage(TINY_FILE),
    tokenizer: tinyStage("tokenizer.bin"),
    backbone: { ...tinyStage("tokenizer.bin"), placement: "origin" as const },
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

function tinyStage(file: string): Stage {
  return {
    placement: "edge",
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
