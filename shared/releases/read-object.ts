import { SHARD_TIMEOUT_MS } from "../limits/releases.ts";
import type { BlobSource } from "./blob-source.ts";

type Body = Uint8Array | ReadableStream<Uint8Array>;

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
  const reader = body.getReader();
  const stop = () => void reader.cancel(signal.reason).catch(() => undefined);
  signal.addEventListener("abort", stop);
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return length;
      if (length + value.length > target.length) {
        stop();
        return -1;
      }
      target.set(value, length);
      length += value.length;
    }
  } finally {
    signal.removeEventListener("abort", stop);
  }
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
