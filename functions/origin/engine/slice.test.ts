import { describe, expect, it } from "vitest";
import { Slice, type ChunkRules } from "./slice.ts";

const SETTINGS = { prefillSliceMs: 50, maxChunkTokens: 512 };

/** A slice that has learnt what a token costs. */
function slice(msPerToken: number, cut: Partial<ChunkRules> = {}): Slice {
  const made = new Slice(SETTINGS, { whole: false, grain: null, ...cut });
  for (let i = 0; i < 64; i++) made.spent(1, msPerToken);
  return made;
}

describe("the slice of a step that prompts get", () => {
  it("is what fits the time while answers stream, and a whole chunk while none do", () => {
    const one = slice(1);
    one.begin(true, 1);
    expect(one.tokens(600)).toBe(50);
    one.begin(false, 1);
    expect(one.tokens(600)).toBe(512);
  });

  it("lets a prompt end that needs half as much again, instead of a chunk for its rest", () => {
    const one = slice(1);
    one.begin(true, 1);
    expect(one.tokens(75)).toBe(75);
    expect(one.tokens(76)).toBe(50);
  });

  it("is one for each prompt, four at most, so that places of the batch do not stay empty", () => {
    const one = slice(1);
    for (const [prompts, tokens] of [
      [2, 100],
      [4, 200],
      [16, 200],
    ] as const) {
      one.begin(true, prompts);
      expect(one.tokens(600)).toBe(tokens);
    }
  });

  it("is over when its time is spent, and never begins with less than 16 tokens", () => {
    const one = slice(100);
    one.begin(true, 1);
    expect(one.tokens(600)).toBe(16);
    one.spent(16, 1_600);
    expect(one.tokens(600)).toBe(0);
  });

  it("gives a prompt that must not be split all of it", () => {
    const one = slice(100, { whole: true });
    one.begin(true, 1);
    expect(one.tokens(600)).toBe(600);
  });

  it("never leaves a single token", () => {
    const one = slice(1);
    one.begin(true, 1);
    expect(one.tokens(51)).toBe(51);
    one.begin(false, 1);
    expect(one.tokens(513)).toBe(511);
  });

  it("takes whole chunks where their ends are fixed: one at least, more while time is left", () => {
    const one = slice(1, { grain: 64 });
    one.begin(true, 1);
    expect(one.tokens(600)).toBe(64);
    one.spent(64, 64);
    expect(one.tokens(536)).toBe(0);
    one.begin(true, 3);
    one.spent(64, 64);
    expect(one.tokens(536)).toBe(64);
    one.begin(false, 1);
    expect([65, 66, 600].map((rest) => one.tokens(rest))).toEqual([65, 64, 64]);
  });
});
