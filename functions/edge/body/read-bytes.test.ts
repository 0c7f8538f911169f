import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BODY_GRACE_MS, MAX_BODY_SILENCE_MS, MIN_BODY_BYTES_PER_MS } from "../../../shared/limits/gates.ts";
import { readBytes } from "./read-bytes.ts";

const MAX_BYTES = 1_000_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A request of which `bytes` come every `ms`, `times` times, and then its end or nothing more. */
function dripping(bytes: number, ms: number, times: number, { ends = false } = {}): Request {
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
  return new Request("https://fovea.test/", { method: "POST", body });
}

/** How the reading ended, and after how many milliseconds. */
async function outcome(request: Request): Promise<{ readonly ended: unknown; readonly ms: number }> {
  const started = performance.now();
  const ended = readBytes(request, MAX_BYTES).catch((error: unknown) => error);
  const done = ended.then(() => performance.now() - started);
  await vi.advanceTimersByTimeAsync(10 * BODY_GRACE_MS);
  return { ended: await ended, ms: await done };
}

describe("readBytes", () => {
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
});
