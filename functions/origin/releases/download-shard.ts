import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { SHARD_BACKOFF_MS, SHARD_TIMEOUT_MS, SHARD_TRIES } from "../../../shared/limits/releases.ts";
import { ReleaseError } from "../../../shared/releases/error.ts";
import { blobKey } from "../../../shared/releases/keys.ts";
import type { Shard } from "../../../shared/releases/release.ts";
import type { ObjectSource } from "./s3-source.ts";

/**
 * Streams one shard to its place in an open file, hashing on the way, so that only network chunks are in memory. A stream
 * that breaks is taken up again with a ranged GET from where it broke. Until this returns, the file is not to be used.
 * Throws ReleaseError (`shard_missing`, `shard_length_mismatch`, `shard_digest_mismatch`, `shard_unreadable`) or the disk's error.
 */
export async function downloadShard(
  source: ObjectSource,
  shard: Shard,
  file: FileHandle,
  position: number,
  signal: AbortSignal,
  timeoutMs = SHARD_TIMEOUT_MS,
): Promise<void> {
  const hash = createHash("sha256");
  let received = 0;
  for (let attempt = 1; received < shard.size; attempt += 1) {
    try {
      for await (const chunk of chunksFrom(
        source,
        shard,
        received,
        AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      )) {
        hash.update(chunk);
        await writeAll(file, chunk, position + received);
        received += chunk.length;
      }
      if (received < shard.size) throw new ReleaseError("shard_length_mismatch", `${blobKey(shard.sha256)} ends early`);
    } catch (thrown) {
      if (signal.aborted || !mayRetry(thrown, attempt)) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, SHARD_BACKOFF_MS * 2 ** (attempt - 1)));
    }
  }
  if (hash.digest("hex") !== shard.sha256) {
    throw new ReleaseError("shard_digest_mismatch", `${blobKey(shard.sha256)} holds other bytes`);
  }
}

async function* chunksFrom(
  source: ObjectSource,
  shard: Shard,
  offset: number,
  deadline: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const key = blobKey(shard.sha256);
  let room = shard.size - offset;
  const body = await source.read(key, offset, deadline).catch((cause: unknown) => {
    throw unreadable(key, cause);
  });
  if (body === null) throw new ReleaseError("shard_missing", `${key} is not in the store`);
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await chunks.next().catch((cause: unknown) => {
        throw unreadable(key, cause);
      });
      if (next.done === true) return;
      room -= next.value.length;
      if (room < 0) throw new ReleaseError("shard_length_mismatch", `${key} has more than ${shard.size} bytes`);
      yield next.value;
    }
  } finally {
    await chunks.return?.();
  }
}

/** A disk error is not the store's fault and asking the store again does not help. */
function mayRetry(thrown: unknown, attempt: number): boolean {
  if (!(thrown instanceof ReleaseError) || attempt >= SHARD_TRIES) return false;
  return thrown.fault === "shard_unreadable" || thrown.fault === "shard_length_mismatch";
}

async function writeAll(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, written, chunk.length - written, position + written);
    written += bytesWritten;
  }
}

function unreadable(key: string, cause: unknown): ReleaseError {
  const reason = cause instanceof Error ? cause.message.slice(0, 200) : "unknown";
  return new ReleaseError("shard_unreadable", `the store cannot read ${key}: ${reason}`, { cause });
}
