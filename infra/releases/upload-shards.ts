import { createHash } from "node:crypto";
import { MAX_SHARD_BYTES } from "../../shared/limits/limits.ts";
import { UPLOADS_IN_FLIGHT } from "../../shared/limits/releases.ts";
import { blobKey } from "../../shared/releases/keys.ts";
import type { Release } from "../../shared/releases/release.ts";
import { Semaphore } from "../../shared/releases/semaphore.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { BufferPool } from "./buffer-pool.ts";
import { readPlanned, type PlannedFile } from "./file-plan.ts";
import { PublishError } from "./publish-error.ts";
import { isOld } from "./renew.ts";

/** As many as there are uploads in flight, 8 MiB each. */
const buffers = new BufferPool(MAX_SHARD_BYTES);

interface ShardUpload {
  readonly file: PlannedFile;
  readonly offset: number;
  readonly size: number;
  readonly sha256: string;
}

export interface UploadOptions {
  readonly store: ObjectStore;
  readonly onProgress?: ((progress: PublishProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PublishProgress {
  readonly phase: "hash" | "upload";
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface UploadResult {
  readonly uploadedShards: number;
  readonly uploadedBytes: number;
  /** Shards that were there and old, and are young now. */
  readonly renewedShards: number;
}

/** Uploads the shards that the store lacks, and makes those young that `gc` could take before the release names them. */
export async function uploadShards(
  files: readonly PlannedFile[],
  release: Release,
  { store, onProgress, signal }: UploadOptions,
): Promise<UploadResult> {
  const uploads = distinctShards(files, release);
  const totalBytes = uploads.reduce((sum, { size }) => sum + size, 0);
  let doneBytes = 0;
  let uploadedShards = 0;
  let uploadedBytes = 0;
  let renewedShards = 0;
  const inFlight = new Semaphore(UPLOADS_IN_FLIGHT);
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const results = uploads.map((shard) =>
    inFlight.run(async () => {
      stop.throwIfAborted();
      try {
        const done = await upload(store, shard);
        if (done === "renewed") renewedShards += 1;
        if (done === "uploaded") {
          uploadedShards += 1;
          uploadedBytes += shard.size;
        }
      } catch (thrown) {
        failed.abort(thrown);
        throw thrown;
      }
      doneBytes += shard.size;
      onProgress?.({ phase: "upload", doneBytes, totalBytes });
    }),
  );
  await Promise.allSettled(results);
  stop.throwIfAborted();
  return { uploadedShards, uploadedBytes, renewedShards };
}

function distinctShards(files: readonly PlannedFile[], release: Release): readonly ShardUpload[] {
  const bySha = new Map<string, ShardUpload>();
  for (const file of files) {
    for (const [index, { sha256, size }] of (release.files[file.name]?.shards ?? []).entries()) {
      if (!bySha.has(sha256)) bySha.set(sha256, { file, offset: index * MAX_SHARD_BYTES, size, sha256 });
    }
  }
  return [...bySha.values()];
}

/** A name that is a digest is there whole or not at all, so its bytes are not looked at. */
async function upload(
  store: ObjectStore,
  { file, offset, size, sha256 }: ShardUpload,
): Promise<"uploaded" | "renewed" | "there"> {
  const key = blobKey(sha256);
  const head = await store.head(key);
  if (head?.size === size) {
    if (!isOld(head)) return "there";
    // Else it went in between, and is put like any other that is missing.
    if (await store.touch(key)) return "renewed";
  }
  return buffers.lend(size, async (bytes) => {
    await readPlanned(file, offset, bytes);
    if (createHash("sha256").update(bytes).digest("hex") !== sha256) {
      throw new PublishError(`${file.name} changed while it was being published`);
    }
    // A blob of the wrong length is broken, so it is replaced; its right bytes cannot be anyone else's.
    await store.put(key, bytes);
    return "uploaded" as const;
  });
}
