import { untilAborted } from "../process/until-aborted.ts";

/**
 * The pieces of a body until it ends, or until the signal: then it throws the signal's reason. `fetch` promises as much, but its abort
 * reaches a body through the Response object, and whoever keeps the body alone may find that object collected: the read
 * would wait for ever.
 */
export async function* pieces(
  body: ReadableStream<Uint8Array> | null,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await untilAborted(reader.read(), signal);
      if (done) return;
      yield value;
    }
  } finally {
    // Whoever stops early wants no more of it; what the other side says to that is of no interest.
    reader.cancel().catch(() => undefined);
  }
}
