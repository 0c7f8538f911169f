import { describe, expect, it } from "vitest";
import { Memo } from "./memo.ts";

describe("Memo", () => {
  it("loads once for concurrent callers", async () => {
    const memo = new Memo<number>({ max: 2 });
    let loads = 0;
    const load = async () => {
      loads += 1;
      await Promise.resolve();
      return 7;
    };
    expect(await Promise.all([memo.get("a", load), memo.get("a", load)])).toEqual([7, 7]);
    expect(await memo.get("a", load)).toBe(7);
    expect(loads).toBe(1);
  });

  it("keeps no failure, thrown late or at once", async () => {
    const memo = new Memo<number>({ max: 2 });
    await expect(memo.get("a", () => Promise.reject(new Error("late")))).rejects.toThrow("late");
    await expect(
      memo.get("a", () => {
        throw new Error("at once");
      }),
    ).rejects.toThrow("at once");
    expect(memo.size).toBe(0);
    expect(await memo.get("a", () => Promise.resolve(1))).toBe(1);
  });

  it("drops what was used longest ago", async () => {
    const memo = new Memo<string>({ max: 2 });
    const load = (value: string) => () => Promise.resolve(value);
    await memo.get("a", load("a1"));
    await memo.get("b", load("b1"));
    await memo.get("a", load("a2"));
    await memo.get("c", load("c1"));
    expect(memo.size).toBe(2);
    expect(await memo.get("a", load("a3"))).toBe("a1");
    expect(await memo.get("b", load("b2"))).toBe("b2");
  });

  it("does not hang on a load that never settles", async () => {
    const memo = new Memo<number>({ max: 2, patienceMs: 20 });
    void memo.get("a", () => new Promise<number>(() => undefined));
    expect(await memo.get("a", () => Promise.resolve(2))).toBe(2);
  });
});
