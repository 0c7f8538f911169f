import { describe, expect, it } from "vitest";
import type { Phase } from "./group.ts";
import { Punctual } from "./punctual.ts";

/** A sequence whose mask comes when it is told to. */
function sequence(name: string) {
  let settle: { resolve: () => void; reject: (error: Error) => void } | undefined;
  let next: Promise<void> = Promise.resolve();
  return {
    name,
    phase: "decode" as Phase,
    prepare: () => next,
    wait: () => (next = new Promise((resolve, reject) => (settle = { resolve, reject }))),
    come: () => settle?.resolve(),
    fail: () => settle?.reject(new Error(name)),
  };
}

const names = (all: readonly { readonly name: string }[]): string[] => all.map(({ name }) => name);

describe("Punctual", () => {
  it("leaves out who is late, and takes them again when they are ready", async () => {
    const punctual = new Punctual<ReturnType<typeof sequence>>();
    const [free, held] = [sequence("free"), sequence("held")];
    const step = (): Promise<string[]> => punctual.of([free, held], () => undefined).then(names);
    expect(await step()).toEqual(["free", "held"]);
    void held.wait();
    expect(await step()).toEqual(["free"]);
    expect(await step()).toEqual(["free"]);
    held.come();
    expect(await step()).toEqual(["free", "held"]);
    free.phase = "done";
    expect(await step()).toEqual(["held"]);
  });

  it("ends the step when all are late, so that who leaves is seen", async () => {
    const punctual = new Punctual<ReturnType<typeof sequence>>();
    const held = sequence("held");
    void held.wait();
    expect(await punctual.of([held], () => undefined)).toEqual([]);
    expect(await punctual.of([held], () => undefined)).toEqual([]);
  });

  it("tells of who cannot go on", async () => {
    const punctual = new Punctual<ReturnType<typeof sequence>>();
    const [free, held] = [sequence("free"), sequence("held")];
    const broken: string[] = [];
    void held.wait();
    held.fail();
    expect(names(await punctual.of([free, held], ({ name }) => broken.push(name)))).toEqual(["free"]);
    expect(broken).toEqual(["held"]);
  });
});
