import { createHash } from "node:crypto";
import { MAX_SHARD_BYTES } from "../../shared/limits/limits.ts";
import { contractIdOf, featureIdOf } from "../../shared/releases/identity.ts";
import type { Release, ReleaseFile, Shard } from "../../shared/releases/release.ts";
import { runtimeFor } from "../../shared/releases/runtime.ts";
import { readPlanned, type PlannedFile } from "./file-plan.ts";
import type { PlannedRelease } from "./plan-release.ts";

export interface HashOptions {
  readonly model: string;
  readonly version: string;
  /** Of the same files, from an earlier call: they are not read again. */
  readonly files?: Release["files"] | undefined;
  readonly onHashed?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

/** Cuts every file into shards, hashes them, and writes the manifest: the release as it will be named. */
export async function hashRelease(
  planned: PlannedRelease,
  { model, version, files: known, onHashed }: HashOptions,
): Promise<Release> {
  const files = known ?? (await hashFiles(planned.files, onHashed));
  const parts = { files, stages: planned.stages };
  const featureId = await featureIdOf(parts);
  return {
    schema: "fovea.release/1",
    name: model,
    version,
    modelType: planned.modelType,
    license: planned.license,
    minimumRuntime: runtimeFor(planned.stages),
    ...parts,
    featureId,
    contractId: await contractIdOf(parts, featureId),
  };
}

async function hashFiles(
  planned: readonly PlannedFile[],
  onHashed: HashOptions["onHashed"],
): Promise<Release["files"]> {
  const totalBytes = planned.reduce((sum, { size }) => sum + size, 0);
  let doneBytes = 0;
  const files: Record<string, ReleaseFile> = {};
  // One buffer for all shards: hashing needs no second one, and fresh ones would pile up.
  const buffer = new Uint8Array(MAX_SHARD_BYTES);
  for (const file of planned) {
    files[file.name] = await hashFile(file, buffer, (bytes) => {
      doneBytes += bytes;
      onHashed?.(doneBytes, totalBytes);
    });
  }
  return files;
}

/** Shards are cut at fixed places: a weight that changes in place changes one shard, and nothing after it moves. */
async function hashFile(file: PlannedFile, buffer: Uint8Array, onBytes: (bytes: number) => void): Promise<ReleaseFile> {
  const whole = createHash("sha256");
  const shards: Shard[] = [];
  for (let offset = 0; offset < file.size; offset += MAX_SHARD_BYTES) {
    const bytes = buffer.subarray(0, Math.min(MAX_SHARD_BYTES, file.size - offset));
    await readPlanned(file, offset, bytes);
    whole.update(bytes);
    shards.push({ sha256: createHash("sha256").update(bytes).digest("hex"), size: bytes.length });
    onBytes(bytes.length);
  }
  return { sha256: whole.digest("hex"), size: file.size, shards };
}
