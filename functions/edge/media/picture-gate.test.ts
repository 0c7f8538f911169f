import { describe, expect, it } from "vitest";
import { PictureGate } from "./picture-gate.ts";

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  // eslint-disable-next-line promise/param-names
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

const LIMITS = { maxWaiting: 2, maxWaitMs: 10_000 };

describe("PictureGate", () => {
  it("runs one job at a time, in order, also after one that fails", async () => {
    const gate = new PictureGate(LIMITS);
    const log: string[] = [];
    const job =
      (name: string, fails = false) =>
      async (): Promise<void> => {
        log.push(`${name} begins`);
        await Promise.resolve();
        log.push(`${name} ends`);
        if (fails) throw new Error(name);
      };
    const results = await Promise.allSettled([gate.run(job("a")), gate.run(job("b", true)), gate.run(job("c"))]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(log).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  });

  it("refuses with 503 when too many wait, and works again afterwards", async () => {
    const gate = new PictureGate(LIMITS);
    const first = deferred();
    const running = [gate.run(() => first.promise), gate.run(async () => undefined), gate.run(async () => undefined)];
    await expect(gate.run(async () => undefined)).rejects.toMatchObject({ code: "overloaded", status: 503 });
    first.resolve();
    await Promise.all(running);
    await expect(gate.run(async () => 7)).resolves.toBe(7);
  });

  it("refuses a job whose turn does not come in time, and does not run it later", async () => {
    const gate = new PictureGate({ maxWaiting: 2, maxWaitMs: 5 });
    const first = deferred();
    let ran = false;
    const running = gate.run(() => first.promise);
    await expect(gate.run(async () => (ran = true))).rejects.toMatchObject({ code: "overloaded", retryAfterMs: 500 });
    first.resolve();
    await running;
    await expect(gate.run(async () => "next")).resolves.toBe("next");
    expect(ran).toBe(false);
  });
});
