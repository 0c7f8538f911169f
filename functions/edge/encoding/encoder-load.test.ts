import { describe, expect, it } from "vitest";
import { FoveaError } from "../../../shared/errors/error.ts";
import { EncoderLoad } from "./encoder-load.ts";

describe("EncoderLoad", () => {
  it("is busy while four jobs wait, and not a job later", async () => {
    const load = new EncoderLoad();
    const waiting = Array.from({ length: 4 }, () => Promise.withResolvers<number>());
    const jobs: Promise<number>[] = [];
    for (const { promise } of waiting) {
      expect(load.isBusy()).toBe(false);
      jobs.push(load.run(() => promise));
    }
    expect(load.isBusy()).toBe(true);
    waiting[0]?.resolve(7);
    expect(await jobs[0]).toBe(7);
    expect(load.isBusy()).toBe(false);
    for (const { resolve } of waiting) resolve(0);
    await Promise.all(jobs);
  });

  it("remembers a refusal for two seconds, and no other failure", async () => {
    const load = new EncoderLoad();
    const fail = (code: "overloaded" | "internal_error", at: number) =>
      load.run(
        () => Promise.reject(new FoveaError(code, "no")),
        () => at,
      );
    await expect(fail("internal_error", 1000)).rejects.toThrow("no");
    expect(load.isBusy(1000)).toBe(false);
    await expect(fail("overloaded", 1000)).rejects.toThrow("no");
    expect([load.isBusy(2999), load.isBusy(3000)]).toEqual([true, false]);
  });
});
