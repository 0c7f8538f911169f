import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { EngineHost } from "../../functions/origin/engine/host.ts";
import { builtinSource, random, request, SETTINGS } from "./builtin.ts";

const REQUESTS = 2_000;
const CANCELLED_SHARE = 0.3;
const IN_FLIGHT = 24;
const MIB = 1024 * 1024;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Sends requests of random lengths, `IN_FLIGHT` at a time, and leaves some at a random moment. */
async function load(engine: EngineHost, count: number, seed: number): Promise<{ ended: number; cancelled: number }> {
  const next = random(seed);
  let ended = 0;
  let cancelled = 0;
  let sent = 0;
  const lane = async (): Promise<void> => {
    while (sent < count) {
      const i = sent++;
      const length = 2 + Math.floor(next() * 12);
      const tokenIds = [1, ...Array.from({ length }, () => 5 + Math.floor(next() * 2000))];
      const sampling = { max_tokens: 1 + Math.floor(next() * 4), ignore_eos: true, n: i % 50 === 0 ? 3 : 1 };
      const one = request({ id: `leak-${seed}-${i}`, tokenIds, sampling, salt: `tenant-${i % 40}` });
      const leaves = next() < CANCELLED_SHARE;
      const leavesAt = next() * 60;
      await new Promise<void>((resolve) => {
        engine.submit(one, (event) => {
          if (event.type !== "end") return expect(event.type).not.toBe("error");
          ended++;
          return resolve();
        });
        if (!leaves) return;
        setTimeout(() => {
          const before = engine.active;
          engine.cancel(one.id);
          if (engine.active === before) return;
          cancelled++;
          resolve();
        }, leavesAt);
      });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return { ended, cancelled };
}

async function rss(): Promise<number> {
  collectGarbage();
  await new Promise((resolve) => setTimeout(resolve, 50));
  return process.memoryUsage.rss();
}

describe("2,000 requests of which 30 % are cancelled at random moments", () => {
  it("leaves blocks, memory and handles as they were", async () => {
    const engine = await EngineHost.start({
      backbone: builtinSource(),
      settings: { ...SETTINGS, kvBytes: 8 * MIB },
      tokenizer: null,
    });
    try {
      // The first load fills the prefix cache and the runtime's arenas, which stay by design.
      await load(engine, 200, 1);
      const handles = process.getActiveResourcesInfo().length;
      const memory = await rss();
      const { ended, cancelled } = await load(engine, REQUESTS, 2);
      const report = await engine.report();
      expect(ended + cancelled).toBe(REQUESTS);
      expect(cancelled).toBeGreaterThan(REQUESTS * CANCELLED_SHARE * 0.3);
      expect(engine.active).toBe(0);
      expect(report).toMatchObject({ waiting: 0, running: 0, blocks: { reserved: 0 } });
      expect(report?.blocks.cached).toBeLessThanOrEqual(report?.blocks.total ?? 0);
      const ends = report?.stats.outcomes ?? { finished: 0, failed: 0, cancelled: 0 };
      expect(ends.failed).toBe(0);
      expect(ends.finished + ends.cancelled).toBe(REQUESTS + 200);
      expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(handles + 1);
      expect((await rss()) - memory).toBeLessThan(48 * MIB);
    } finally {
      await engine.close();
    }
  }, 180_000);
});
