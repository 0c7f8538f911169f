import { describe, expect, it } from "vitest";
import { pieces } from "./pieces.ts";

/** Two pieces, then silence. */
function silent(onCancel: () => void = () => undefined): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      controller.enqueue(Uint8Array.of(1));
      controller.enqueue(Uint8Array.of(2));
    },
    cancel: onCancel,
  });
}

describe("pieces", () => {
  it("ends a read that nothing answers when the signal comes, and lets the body go", async () => {
    let cancelled = false;
    const abort = new AbortController();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const [value = 0] of pieces(
        silent(() => (cancelled = true)),
        abort.signal,
      ))
        seen.push(value);
    })();
    setTimeout(() => abort.abort(new Error("enough")), 20);
    await expect(reading).rejects.toThrow("enough");
    expect(seen).toEqual([1, 2]);
    expect(cancelled).toBe(true);
  });

  it("reads nothing when the signal came before, and nothing of no body", async () => {
    await expect(pieces(silent(), AbortSignal.abort(new Error("gone"))).next()).rejects.toThrow("gone");
    expect(await pieces(null, new AbortController().signal).next()).toEqual({ done: true, value: undefined });
  });

  it("lets the body go when the reader leaves, and passes its failure on", async () => {
    let cancelled = false;
    const { signal } = new AbortController();
    for await (const piece of pieces(
      silent(() => (cancelled = true)),
      signal,
    ))
      if (piece[0] === 1) break;
    expect(cancelled).toBe(true);
    const broken = new ReadableStream<Uint8Array>({ start: (controller) => controller.error(new Error("cut")) });
    await expect(pieces(broken, signal).next()).rejects.toThrow("cut");
  });
});
