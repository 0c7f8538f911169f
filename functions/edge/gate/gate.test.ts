import { describe, expect, it } from "vitest";
import { Gate } from "./gate.ts";

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  // eslint-disable-next-line promise/param-names
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

const LIMITS = { capacity: 1, maxWaiting: 2, maxWaitMs: 10_000, message: "Full." };
const nothing = async (): Promise<void> => undefined;

describe("Gate", () => {
  it("runs one job at a time, in order, also after one that fails", async () => {
    const gate = new Gate(LIMITS);
    const log: string[] = [];
    const job =
      (name: string, fails = false) =>
      async (): Promise<void> => {
        log.push(`${name} begins`);
        await Promise.resolve();
        log.push(`${name} ends`);
        if (fails) throw new Error(name);
      };
    const results = await Promise.allSettled([
      gate.run(1, job("a")),
      gate.run(1, job("b", true)),
      gate.run(1, job("c")),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(log).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  });

  it("lets in what fits, however large what waits is", async () => {
    const gate = new Gate({ ...LIMITS, capacity: 10 });
    const log: string[] = [];
    const job = (name: string, until: Promise<void>) => async (): Promise<void> => {
      log.push(name);
      await until;
    };
    const [first, second] = [deferred(), deferred()];
    const jobs = [
      gate.run(6, job("6", first.promise)),
      gate.run(10, job("10", second.promise)),
      gate.run(4, job("4", first.promise)),
      gate.run(1, job("1", Promise.resolve())),
      gate.run(0, job("0", Promise.resolve())),
    ];
    await Promise.resolve();
    expect(log).toEqual(["6", "4", "0"]);
    first.resolve();
    await Promise.all([jobs[0], jobs[2], jobs[4]]);
    expect(log).toEqual(["6", "4", "0", "10"]);
    second.resolve();
    await Promise.all(jobs);
    expect(log).toEqual(["6", "4", "0", "10", "1"]);
  });

  it("lets others in as soon as a job gives back what it does not need, and counts nothing twice", async () => {
    const gate = new Gate({ ...LIMITS, capacity: 10 });
    const log: string[] = [];
    const [first, second] = [deferred(), deferred()];
    const jobs = [
      gate.run(10, async ({ shrinkTo }) => {
        shrinkTo(4);
        shrinkTo(7);
        await first.promise;
      }),
      gate.run(6, async () => {
        log.push("6");
        await second.promise;
      }),
      gate.run(5, async () => log.push("5")),
    ];
    await Promise.resolve();
    await Promise.resolve();
    expect(log).toEqual(["6"]);
    first.resolve();
    await jobs[0];
    expect(log).toEqual(["6"]);
    second.resolve();
    await Promise.all(jobs);
    await gate.run(10, async () => log.push("10"));
    expect(log).toEqual(["6", "5", "10"]);
  });

  it("refuses with 503 when too many wait, and works again afterwards", async () => {
    const gate = new Gate(LIMITS);
    const first = deferred();
    const running = [gate.run(1, () => first.promise), gate.run(1, nothing), gate.run(1, nothing)];
    await expect(gate.run(1, nothing)).rejects.toMatchObject({ code: "overloaded", status: 503, message: "Full." });
    first.resolve();
    await Promise.all(running);
    await expect(gate.run(1, async () => 7)).resolves.toBe(7);
  });

  it("refuses a job whose turn does not come in time, and does not run it later", async () => {
    const gate = new Gate({ ...LIMITS, maxWaitMs: 5 });
    const first = deferred();
    let ran = false;
    const running = gate.run(1, () => first.promise);
    await expect(gate.run(1, async () => (ran = true))).rejects.toMatchObject({
      code: "overloaded",
      retryAfterMs: 500,
    });
    first.resolve();
    await running;
    await expect(gate.run(1, async () => "next")).resolves.toBe("next");
    expect(ran).toBe(false);
  });

  it("shares its room between owners: who holds nothing goes first, and one alone cannot fill the line", async () => {
    const gate = new Gate({ ...LIMITS, capacity: 10, maxWaiting: 3, maxWaitingOfOne: 2 });
    const log: string[] = [];
    const first = deferred();
    let pressed = (): boolean => false;
    const holding = gate.run(
      6,
      async ({ isPressed }) => {
        pressed = isPressed;
        await first.promise;
      },
      "a",
    );
    const holdingMore = gate.run(4, () => first.promise, "a");
    const waiting = [gate.run(5, async () => log.push("a"), "a"), gate.run(5, async () => log.push("a"), "a")];
    expect(pressed()).toBe(false);
    await expect(gate.run(5, nothing, "a")).rejects.toMatchObject({ code: "overloaded" });
    waiting.push(gate.run(6, async () => log.push("b"), "b"));
    expect(pressed()).toBe(true);
    first.resolve();
    await Promise.all([holding, holdingMore, ...waiting]);
    expect(log).toEqual(["b", "a", "a"]);
    expect(pressed()).toBe(false);
  });
});
