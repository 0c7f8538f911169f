import { SHARD_TIMEOUT_MS } from "../limits/releases.ts";
import type { BlobSource } from "./blob-source.ts";

type Body = Uint8Array | ReadableStream<Uint8Array>;

/** Of each read: what the network hands over at once is a little less. */
const CHUNK_BYTES = 64 * 1024;

/**
 * Reads an object into `target` and says how many bytes it had, or -1 when it has more than fit: what is too long is
 * abandoned at once, so a source can never make us hold more than the manifest says. Null when there is no object.
 */
export async function readInto(
  source: BlobSource,
  key: string,
  target: Uint8Array,
  timeoutMs = SHARD_TIMEOUT_MS,
): Promise<number | null> {
  return withDeadline(timeoutMs, async (signal) => {
    const body = await source.get(key, signal);
    // A source that answers after the deadline must not touch the target: another source may have filled it since.
    signal.throwIfAborted();
    return body === null ? null : drain(body, target, signal);
  });
}

/** Reads a small object of unknown length: null when missing, `"too large"` beyond `limit` bytes. */
export async function readSmall(
  source: BlobSource,
  key: string,
  limit: number,
  timeoutMs = SHARD_TIMEOUT_MS,
): Promise<Uint8Array<ArrayBuffer> | "too large" | null> {
  const buffer = new Uint8Array(limit);
  const length = await readInto(source, key, buffer, timeoutMs);
  if (length === null) return null;
  return length === -1 ? "too large" : buffer.slice(0, length);
}

async function drain(body: Body, target: Uint8Array, signal: AbortSignal): Promise<number> {
  if (body instanceof Uint8Array) {
    if (body.length > target.length) return -1;
    target.set(body);
    return body.length;
  }
  const { read, cancel } = chunksOf(body);
  const stop = () => void cancel(signal.reason).catch(() => undefined);
  signal.addEventListener("abort", stop);
  let length = 0;
  try {
    for (;;) {
      const chunk = await read();
      signal.throwIfAborted();
      if (chunk === null) return length;
      if (length + chunk.length > target.length) {
        stop();
        return -1;
      }
      target.set(chunk, length);
      length += chunk.length;
    }
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

interface Chunks {
  /** The next bytes, good until the next call; null at the end. */
  readonly read: () => Promise<Uint8Array | null>;
  readonly cancel: (reason: unknown) => Promise<void>;
}

/**
 * Through one buffer where the stream can fill it, as those of stores and caches can: chunks of their own are garbage that a
 * collector takes late, 25 MB of it while an encoder loads.
 */
function chunksOf(body: ReadableStream<Uint8Array>): Chunks {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = body.getReader({ mode: "byob" });
  } catch {
    const plain = body.getReader();
    return { read: async () => (await plain.read()).value ?? null, cancel: (reason) => plain.cancel(reason) };
  }
  let buffer = new Uint8Array(CHUNK_BYTES);
  return {
    async read() {
      const { done, value } = await reader.read(buffer);
      if (value === undefined) return null;
      buffer = new Uint8Array(value.buffer);
      return done ? null : value;
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

/** A source that goes silent ends here, whether or not it heeds the signal. */
async function withDeadline<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | null = null;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const reason = new Error(`no answer within ${timeoutMs} ms`);
      controller.abort(reason);
      reject(reason);
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(controller.signal), deadline]);
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}
