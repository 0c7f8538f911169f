import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AnswerEvent } from "../../../shared/frame/answer.ts";
import { importSigningKey } from "../../../shared/http-signature/keys.ts";
import { MAX_ORIGIN_ACCEPT_MS, MAX_ORIGIN_QUEUE_MS, MAX_ORIGIN_SILENCE_MS } from "../../../shared/limits/origin.ts";
import { formatEvent } from "../../../shared/sse/format.ts";
import { openAnswer, type OriginCall } from "./client.ts";

const originKey = await importSigningKey("test", btoa("0".repeat(32)));
const fetched = vi.fn<typeof fetch>();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  vi.stubGlobal("fetch", fetched);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  fetched.mockReset();
});

/** Takes a whole answer of an origin that answers so. */
async function answer(response: Promise<Response>, call: Partial<OriginCall> = {}): Promise<AnswerEvent[]> {
  fetched.mockReturnValueOnce(response);
  const { signal } = new AbortController();
  const target = { originUrl: "https://origin.test", originKey };
  const events = await openAnswer(target, { frame: new Uint8Array(8), signal, requestId: "id", ...call });
  const all: AnswerEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** A stream whose events come when that many milliseconds have passed since the one before; then its end, or nothing more. */
function stream(waits: readonly number[], { ends = true } = {}): Promise<Response> {
  let next = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const wait = waits[next++];
      if (wait === undefined) return ends ? controller.close() : new Promise(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, wait));
      controller.enqueue(new TextEncoder().encode(formatEvent({ ids: [1] })));
    },
  });
  return Promise.resolve(new Response(body));
}

/** How the answer ended and after how many milliseconds; what the fetch was told, and timers that are left. */
async function outcome(response: Promise<Response>) {
  const started = performance.now();
  const ending = answer(response).then(
    (events) => events.length,
    (error: unknown) => error,
  );
  const done = ending.then(() => performance.now() - started);
  await vi.advanceTimersByTimeAsync(20 * MAX_ORIGIN_QUEUE_MS);
  const aborted = fetched.mock.lastCall?.[1]?.signal?.aborted;
  return { ended: await ending, ms: await done, aborted, timers: vi.getTimerCount() };
}

describe("openAnswer", () => {
  const timeout = { code: "origin_timeout", status: 504, retryable: true };

  it.each([
    ["says nothing", () => new Promise<Response>(() => undefined), MAX_ORIGIN_ACCEPT_MS],
    ["accepts and says nothing", () => stream([], { ends: false }), MAX_ORIGIN_QUEUE_MS],
    ["stalls after an event", () => stream([10], { ends: false }), 10 + MAX_ORIGIN_SILENCE_MS],
  ])("gives up an origin that %s, and ends the fetch", async (_, response, ms) => {
    expect(await outcome(response())).toEqual({
      ended: expect.objectContaining(timeout) as unknown,
      ms,
      aborted: true,
      timers: 0,
    });
  });

  it("gives up a refusal that stays away", async () => {
    const body = new ReadableStream({ pull: () => new Promise(() => undefined) });
    expect(await outcome(Promise.resolve(new Response(body, { status: 500 })))).toMatchObject({
      ended: timeout,
      timers: 0,
    });
  });

  it("waits for a place in the queue, and for slow steps", async () => {
    const waits = [300_000, ...Array.from({ length: 20 }, () => 60_000)];
    expect(await outcome(stream(waits))).toMatchObject({ ended: 21, aborted: false, timers: 0 });
  });

  it.each([301, 302, 303, 307, 308])("follows no redirect: %s", async (status) => {
    // What it says is no word of the origin either
    const body = JSON.stringify({ error: { code: "invalid_request", message: "Elsewhere." } });
    const redirect = new Response(body, { status, headers: { location: "https://elsewhere.test/" } });
    await expect(answer(Promise.resolve(redirect))).rejects.toMatchObject({ code: "origin_failed", status: 502 });
    expect(fetched.mock.lastCall?.[1]).toMatchObject({ redirect: "manual" });
  });

  it("forwards a traceparent, and nothing else by that name", async () => {
    const sent = async (traceparent: string): Promise<string | null> => {
      await answer(stream([]), { traceparent });
      return new Headers(fetched.mock.lastCall?.[1]?.headers).get("traceparent");
    };
    const valid = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    expect(await sent(valid)).toBe(valid);
    for (const other of ["", "00-x", "\u00e9", "\u20ac", "a\nb", `${valid}\n`, `${valid}-more`, valid.toUpperCase()]) {
      expect(await sent(other)).toBeNull();
    }
  });

  it.each([
    ["invalid_request", 400, "invalid_request", 400, false],
    ["context_length_exceeded", 400, "context_length_exceeded", 400, false],
    ["invalid_frame", 400, "internal_error", 500, false],
    ["unsupported_media_type", 415, "internal_error", 500, false],
    ["internal_error", 500, "internal_error", 500, false],
    ["body_too_large", 413, "body_too_large", 413, false],
    ["invalid_signature", 401, "origin_failed", 502, true],
    ["rate_limit_exceeded", 429, "overloaded", 503, true],
    ["overloaded", 503, "overloaded", 503, true],
    ["release_unavailable", 503, "release_unavailable", 503, true],
    ["origin_timeout", 504, "origin_timeout", 504, true],
    ["invalid_api_key", 401, "origin_failed", 502, true],
    ["toString", 400, "origin_failed", 502, true],
  ])("hears %s of the origin, and says it as the caller's matter", async (code, status, heard, as, retryable) => {
    const body = JSON.stringify({ error: { code, message: "Words.", param: "stop" } });
    const refused = Promise.resolve(new Response(body, { status, headers: { "retry-after-ms": "700" } }));
    await expect(answer(refused)).rejects.toMatchObject({ code: heard, status: as, retryable, retryAfterMs: 700 });
    if (code === "toString") return;
    const told = Promise.resolve(new Response(formatEvent({ error: { code, message: "Words." } })));
    await expect(answer(told)).rejects.toMatchObject({ code: heard, retryable });
  });

  it.each(["oops", "null", "{}", '{"error":null}', ""])(
    "takes a refusal in other words, %j, for a failure",
    async (body) => {
      const refused = Promise.resolve(new Response(body, { status: 502 }));
      await expect(answer(refused)).rejects.toMatchObject({ code: "origin_failed", param: null });
    },
  );
});
