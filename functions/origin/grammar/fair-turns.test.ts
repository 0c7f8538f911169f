import { describe, expect, it } from "vitest";
import { FairTurns } from "./fair-turns.ts";

const never = new AbortController().signal;

/** Pieces of work that say when they were done. */
function pieces() {
  const done: string[] = [];
  const work = (name: string) => async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    done.push(name);
  };
  return { done, work };
}

describe("FairTurns", () => {
  it("goes from tenant to tenant, whoever has more waiting", async () => {
    const { done, work } = pieces();
    const turns = new FairTurns(8);
    const all = ["a1", "a2", "a3", "a4"].map((name) => turns.take("a", work(name), never));
    all.push(
      turns.take("b", work("b1"), never),
      turns.take("c", work("c1"), never),
      turns.take("b", work("b2"), never),
    );
    await Promise.all(all);
    expect(done).toEqual(["a1", "b1", "a2", "c1", "b2", "a3", "a4"]);
  });

  it("refuses a tenant that has too many waiting, and takes it again when they are done", async () => {
    const { work } = pieces();
    const turns = new FairTurns(2);
    const all = ["runs", "waits", "waits"].map((name) => turns.take("a", work(name), never));
    await expect(turns.take("a", work("more"), never)).rejects.toMatchObject({ code: "rate_limit_exceeded" });
    all.push(turns.take("b", work("other"), never));
    await Promise.all(all);
    await expect(turns.take("a", work("later"), never)).resolves.toBeUndefined();
  });

  it("leaves out what was given up, and goes on after what fails", async () => {
    const { done, work } = pieces();
    const turns = new FairTurns(2);
    const leaving = new AbortController();
    const failing = turns.take("a", () => Promise.reject(new Error("no")), never);
    const left = turns.take("a", work("left"), leaving.signal);
    const stays = turns.take("a", work("stays"), never);
    leaving.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    await expect(turns.take("a", work("late"), leaving.signal)).rejects.toThrow("gone");
    await expect(failing).rejects.toThrow("no");
    await stays;
    expect(done).toEqual(["stays"]);
  });
});
