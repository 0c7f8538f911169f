import { describe, expect, it } from "vitest";
import { MAX_UNREAD_ANSWER_BYTES } from "../../../shared/limits/limits.ts";
import type { Listener } from "../engine/host.ts";
import type { EngineEvent, GenerateRequest } from "../engine/request.ts";
import { streamAnswer } from "./stream-answer.ts";

const job = { id: "a" } as GenerateRequest;
const ids = Array.from({ length: 1_000 }, (_, id) => id);
const tokens: EngineEvent = { type: "tokens", id: "a", choice: 0, ids, logprobs: null };
const error: EngineEvent = { type: "error", id: "a", code: "origin_failed", message: "Broken." };

function answer(unreadMs = 60_000) {
  let listener: Listener = () => undefined;
  const seen = { cancelled: 0, left: 0, observed: 0 };
  const stream = streamAnswer({
    engine: { submit: (_, to) => void (listener = to), cancel: () => void seen.cancelled++ },
    job,
    observer: { event: () => undefined, cancelled: () => void seen.observed++ },
    leave: () => void seen.left++,
    encodeMs: undefined,
    unreadMs,
  });
  return { stream, seen, say: (event: EngineEvent) => listener(event) };
}

describe("streamAnswer", () => {
  it("is in flight until its last event was read", async () => {
    const { stream, seen, say } = answer();
    say(tokens);
    say(error);
    expect(seen.left).toBe(0);
    const text = await new Response(stream).text();
    expect(text).toContain("origin_failed");
    expect(seen).toEqual({ cancelled: 0, left: 1, observed: 0 });
  });

  it("ends a request whose answer is not read, within a bound", async () => {
    const { stream, seen, say } = answer();
    for (let made = 0; made < 3 * MAX_UNREAD_ANSWER_BYTES && seen.cancelled === 0; made += 3_000) say(tokens);
    expect(seen).toEqual({ cancelled: 1, left: 0, observed: 1 });
    const text = await new Response(stream).text();
    expect(text.length).toBeLessThan(MAX_UNREAD_ANSWER_BYTES + 10_000);
    expect(text).toContain("not read");
    expect(seen.left).toBe(1);
  });

  it("gives a whole answer up that nobody takes", async () => {
    const { stream, seen, say } = answer(5);
    say(error);
    await expect.poll(() => seen.left).toBe(1);
    await expect(stream.getReader().read()).rejects.toThrow("not read");
    expect(seen.observed).toBe(0);
  });

  it("frees the sequence when the client leaves, and no second time", async () => {
    const { stream, seen, say } = answer();
    await stream.cancel();
    expect(seen).toEqual({ cancelled: 1, left: 1, observed: 1 });
    say(tokens);
    expect(seen.cancelled).toBe(1);
  });
});
