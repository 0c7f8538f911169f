import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  BODY_GRACE_MS,
  MAX_BODY_MS,
  MAX_BODY_SILENCE_MS,
  MAX_DISCARD_MS,
  MAX_GATE_WAIT_MS,
  MIN_BODY_BYTES_PER_MS,
} from "../../../shared/limits/gates.ts";
import { MAX_DISCARDED_BODY_BYTES } from "../../../shared/limits/limits.ts";
import { readBytes } from "./read-bytes.ts";

const MAX_BYTES = 1_000_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A request of which `bytes` come every `ms`, `times` times, and then its end or nothing more. */
function dripping(bytes: number, ms: number, times: number, { ends = false, said = "" } = {}): Request {
  let sent = 0;
  const body = new ReadableStream({
    type: "bytes",
    async pull(controller) {
      if (sent === times && !ends) return new Promise(() => undefined);
      if (sent === times) return controller.close();
      sent += 1;
      await new Promise((resolve) => setTimeout(resolve, ms));
      controller.enqueue(new Uint8Array(bytes));
    },
  });
  const headers: HeadersInit = said === "" ? {} : { "content-length": said };
  return new Request("https://fovea.test/", { method: "POST", body, headers });
}

/** How the reading ended, and after how many milliseconds. */
async function outcome(
  request: Request,
  { maxBytes = MAX_BYTES, isPressed = (): boolean => false } = {},
): Promise<{ readonly ended: unknown; readonly ms: number; readonly units: number | null }> {
  const started = performance.now();
  let units: number | null = null;
  const shrinkTo = (left: number): void => {
    units = left;
  };
  const ended = readBytes(request, maxBytes, { shrinkTo, isPressed }).catch((error: unknown) => error);
  const done = ended.then(() => performance.now() - started);
  await vi.advanceTimersByTimeAsync(2 * MAX_BODY_MS);
  return { ended: await ended, ms: await done, units };
}

describe("readBytes", () => {
  it("says that a body broke off whose client has left: no mistake of ours", async () => {
    let pulls = 0;
    const body = new ReadableStream({
      type: "bytes",
      pull(controller) {
        if (pulls++ > 0) return controller.error(new Error("Network connection lost."));
        controller.enqueue(new Uint8Array(1000));
      },
    });
    const { ended } = await outcome(new Request("https://fovea.test/", { method: "POST", body }));
    expect(ended).toMatchObject({ code: "invalid_request", status: 400, message: "The request body broke off." });
  });

  it("gives up a body that stays away", async () => {
    const { ended, ms } = await outcome(dripping(1000, 10, 3));
    expect(ended).toMatchObject({ code: "body_too_slow", status: 408 });
    expect(ms).toBeLessThanOrEqual(30 + MAX_BODY_SILENCE_MS);
  });

  it("gives up a body that only drips", async () => {
    const { ended, ms } = await outcome(dripping(1, 100, 10_000));
    expect(ended).toMatchObject({ code: "body_too_slow" });
    expect(ms).toBeLessThanOrEqual(BODY_GRACE_MS + 100);
  });

  it("waits for one that comes slowly, but fast enough", async () => {
    const { ended, ms } = await outcome(dripping(200 * MIN_BODY_BYTES_PER_MS, 200, 300, { ends: true }));
    expect(ended).toHaveLength(300 * 200 * MIN_BODY_BYTES_PER_MS);
    expect(ms).toBeGreaterThan(2 * BODY_GRACE_MS);
  });

  it("gives up one that is fast enough but does not end", async () => {
    const slow = dripping(1000 * MIN_BODY_BYTES_PER_MS, 1000, 1000);
    const { ended, ms } = await outcome(slow, { maxBytes: 2 * MAX_BODY_MS * MIN_BODY_BYTES_PER_MS });
    expect(ended).toMatchObject({ code: "body_too_slow" });
    expect(ms).toBeLessThanOrEqual(MAX_BODY_MS);
  });

  it("wants more of one that takes the room of others, before they stop waiting", async () => {
    const mobile = (): Request => dripping(30_000, 1000, 20, { ends: true });
    expect((await outcome(mobile())).ended).toHaveLength(600_000);
    const { ended, ms } = await outcome(mobile(), { isPressed: () => true });
    expect(ended).toMatchObject({ code: "body_too_slow" });
    expect(ms).toBeLessThan(MAX_GATE_WAIT_MS);
  });

  it.each([
    ["said to be too large", String(MAX_BYTES + 1)],
    ["that turns out too large", ""],
  ])("holds no room for a body %s while it is thrown away, and that for a time", async (_, said) => {
    const { ended, ms, units } = await outcome(dripping(200_000, 100, 1_000_000, { said }));
    expect(ended).toMatchObject({ code: "body_too_large", status: 413 });
    expect(units).toBe(0);
    expect(ms).toBeLessThanOrEqual(600 + MAX_DISCARD_MS);
  });

  it("does not begin to read what is far too large", async () => {
    const { ended, ms } = await outcome(dripping(1, 1000, 10, { said: String(MAX_DISCARDED_BODY_BYTES + 1) }));
    expect(ended).toMatchObject({ code: "body_too_large" });
    expect(ms).toBe(0);
  });
});
