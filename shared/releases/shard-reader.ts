import { EDGE_SHARDS_IN_FLIGHT, SHARD_BACKOFF_MS, SHARD_TIMEOUT_MS, SHARD_TRIES } from "../limits/releases.ts";
import type { BlobSource } from "./blob-source.ts";
import { sha256Hex } from "./digest.ts";
import { describeFault, ReleaseError, type ReleaseFault } from "./error.ts";
import { blobKey } from "./keys.ts";
import { readInto, readSmall } from "./read-object.ts";
import type { ReleaseFile, Shard } from "./release.ts";
import { Semaphore } from "./semaphore.ts";

/** What happened while reading, for metrics: a fault of one source that another one made good is still worth a line. */
export interface ReadEvents {
  readonly onFault?: (event: {
    readonly source: string;
    readonly key: string;
    readonly fault: string;
    readonly detail: string;
  }) => void;
  /** A small object (manifest, signature, channel document) that passed every check; the origin keeps it on disk. */
  readonly onVerified?: (key: string, bytes: Uint8Array) => Promise<void>;
}

export interface ReadLimits {
  /** Reads at once, over all files of this reader. */
  readonly inFlight?: number;
  /** For one object, from asking to its last byte. */
  readonly timeoutMs?: number;
}

/**
 * Reads objects from the first source that gives them whole and true. A source that fails is tried again a few times; one
 * that gives wrong bytes, or none, is passed over at once. Nothing is handed out before its sha256 was checked.
 */
export class ShardReader {
  readonly #sources: readonly BlobSource[];
  readonly #events: ReadEvents;
  readonly #timeoutMs: number;
  readonly #inFlight: Semaphore;

  constructor(sources: readonly BlobSource[], events: ReadEvents = {}, limits: ReadLimits = {}) {
    this.#sources = sources;
    this.#events = events;
    this.#timeoutMs = limits.timeoutMs ?? SHARD_TIMEOUT_MS;
    this.#inFlight = new Semaphore(limits.inFlight ?? EDGE_SHARDS_IN_FLIGHT);
  }

  /**
   * A whole file in one buffer of `file.size` bytes, a new one unless the caller has a place for it; shards arrive in their
   * places, so there is no second copy.
   * Throws ReleaseError when a shard is not to be had from any source; the buffer must then be dropped.
   */
  async file(file: ReleaseFile, bytes = new Uint8Array(file.size)): Promise<Uint8Array<ArrayBuffer>> {
    if (bytes.byteLength !== file.size) throw new RangeError(`a place of ${bytes.byteLength} bytes for ${file.size}`);
    let offset = 0;
    const reads = file.shards.map((shard) => {
      const target = bytes.subarray(offset, offset + shard.size);
      offset += shard.size;
      return this.#inFlight.run(() => this.#shard(shard, target));
    });
    // All are awaited even when one fails: none may still write into a buffer that was given up.
    const results = await Promise.allSettled(reads);
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return bytes;
  }

  /**
   * A small object without a known digest (manifest, channel document): the first source that has one and whose bytes pass
   * `check`. What a failure means is the caller's to say, so it names the faults.
   */
  async small<T>(
    key: string,
    limit: number,
    faults: { readonly missing: ReleaseFault; readonly tooLarge: ReleaseFault },
    check: (bytes: Uint8Array<ArrayBuffer>) => Promise<T>,
  ): Promise<T> {
    return this.#first(key, faults.missing, async (source) => {
      const bytes = await this.#inFlight.run(() => readSmall(source, key, limit, this.#timeoutMs));
      if (bytes === null) return null;
      if (bytes === "too large") throw new ReleaseError(faults.tooLarge, `${key} has more than ${limit} bytes`);
      const value = await check(bytes);
      // Keeping a copy is a convenience: a full disk must not look like a broken store.
      await this.#events.onVerified?.(key, bytes).catch(() => undefined);
      return { value };
    });
  }

  async #shard(shard: Shard, target: Uint8Array): Promise<void> {
    const key = blobKey(shard.sha256);
    await this.#first(key, "shard_missing", async (source, earlier) => {
      const length = await readInto(source, key, target, this.#timeoutMs);
      if (length === null) return null;
      if (length !== shard.size) {
        throw new ReleaseError(
          "shard_length_mismatch",
          `${key} has ${length === -1 ? "more" : length} bytes, not ${shard.size}`,
        );
      }
      if ((await sha256Hex(target)) !== shard.sha256)
        throw new ReleaseError("shard_digest_mismatch", `${key} holds other bytes`);
      for (const cache of earlier) await cache.put?.(key, target).catch(() => undefined);
      return { value: undefined };
    });
  }

  async #first<T>(
    key: string,
    missing: ReleaseFault,
    read: (source: BlobSource, earlier: readonly BlobSource[]) => Promise<{ readonly value: T } | null>,
  ): Promise<T> {
    let last: ReleaseError | null = null;
    for (const [index, source] of this.#sources.entries()) {
      try {
        const found = await retry(() => read(source, this.#sources.slice(0, index)));
        if (found !== null) return found.value;
        // A cache that has nothing is no fault; the same of a store is.
        if (source.put === undefined) last ??= new ReleaseError(missing, `${key} is not in ${source.name}`);
      } catch (thrown) {
        last = thrown instanceof ReleaseError ? thrown : unreadable(source, key, thrown);
        this.#events.onFault?.({ source: source.name, key, ...describeFault(last) });
      }
    }
    throw last ?? new ReleaseError(missing, `${key} is in no source`);
  }
}

/** Wrong bytes stay wrong, so only a source that could not answer is asked again. */
async function retry<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read();
    } catch (thrown) {
      if (thrown instanceof ReleaseError || attempt >= SHARD_TRIES) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, SHARD_BACKOFF_MS * 2 ** (attempt - 1)));
    }
  }
}

function unreadable(source: BlobSource, key: string, cause: unknown): ReleaseError {
  const reason = cause instanceof Error ? cause.message.slice(0, 200) : "unknown";
  return new ReleaseError("shard_unreadable", `${source.name} cannot read ${key}: ${reason}`, { cause });
}
