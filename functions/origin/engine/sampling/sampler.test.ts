import { describe, expect, it } from "vitest";
import { samplingSchema } from "../../../../shared/frame/schema.ts";
import { draw } from "./draw.ts";
import { Logprobs } from "./logprobs.ts";
import { uniform } from "./random.ts";
import { Sampler, type LogitsProcessor } from "./sampler.ts";
import { argmax, largest } from "./select.ts";

const logits = (...values: number[]): Float32Array => Float32Array.from(values);
const all = { temperature: 1, top_k: 0, top_p: 1, min_p: 0 };

function sampler(
  sampling: object,
  prompt: number[] = [],
  stopIds: number[] = [],
  processor: LogitsProcessor | null = null,
): Sampler {
  return new Sampler({
    sampling: samplingSchema.parse({ max_tokens: 16, ...sampling }),
    prompt: Int32Array.from(prompt),
    choice: 0,
    stopIds: new Set(stopIds),
    fallbackSeed: 1,
    processor,
  });
}

/** How often each id is drawn in 4,000 draws. */
function frequencies(values: Float32Array, options: Partial<typeof all>): number[] {
  const counts = Array.from({ length: values.length }, () => 0);
  for (let i = 0; i < 4000; i++) {
    const id = draw(values, { ...all, ...options }, uniform(3, 0, i));
    counts[id] = (counts[id] ?? 0) + 1 / 4000;
  }
  return counts;
}

describe("argmax", () => {
  it("takes the first of equals, and refuses rows without a number", () => {
    expect(argmax(logits(1, 3, 3, 2))).toBe(1);
    expect(() => argmax(logits(NaN, NaN))).toThrow("not finite");
    expect(() => argmax(logits(-Infinity, -Infinity))).toThrow("not finite");
    expect(() => argmax(logits(1, Infinity))).toThrow("not finite");
  });
});

describe("largest", () => {
  it("equals the head of a full sort, ties by id", () => {
    const values = Float32Array.from({ length: 500 }, (_, i) => Math.floor(uniform(9, 0, i) * 40));
    const sorted = [...values.keys()].toSorted((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
    for (const count of [1, 2, 7, 499, 500]) expect(largest(values, count)).toEqual(sorted.slice(0, count));
  });
});

describe("draw", () => {
  const values = logits(Math.log(0.5), Math.log(0.3), Math.log(0.15), Math.log(0.05));

  it("follows the distribution", () => {
    const [a = 0, b = 0, c = 0, d = 0] = frequencies(values, {});
    expect([a, b, c, d].map((share) => Math.round(share * 20) / 20)).toEqual([0.5, 0.3, 0.15, 0.05]);
  });

  it.each([
    ["temperature 0", { temperature: 0 }, [1, 0, 0, 0]],
    ["top_k 2", { top_k: 2 }, [0.625, 0.375, 0, 0]],
    ["top_p 0.75", { top_p: 0.75 }, [0.625, 0.375, 0, 0]],
    ["top_p 0.1", { top_p: 0.1 }, [1, 0, 0, 0]],
    ["top_k 3 and top_p 0.8", { top_k: 3, top_p: 0.8 }, [0.625, 0.375, 0, 0]],
    ["min_p 0.5", { min_p: 0.5 }, [0.625, 0.375, 0, 0]],
    ["min_p 1", { min_p: 1 }, [1, 0, 0, 0]],
  ])("%s", (_name, options, expected) => {
    frequencies(values, options).forEach((share, id) => expect(share).toBeCloseTo(expected[id] ?? 0, 1));
  });

  it("draws what a plain reference draws, for any options", () => {
    for (let round = 0; round < 3000; round++) {
      const at = (step: number): number => uniform(round, 1, step);
      const values = Float32Array.from({ length: 1 + Math.floor(at(0) * 40) }, (_, i) =>
        at(100 + i) < 0.1 && i > 0 ? -Infinity : at(200 + i) * 8,
      );
      const options = {
        temperature: 0.2 + at(1),
        top_k: at(2) < 0.3 ? 0 : Math.floor(at(3) * 1.5 * values.length),
        top_p: at(4) < 0.3 ? 1 : 0.05 + 0.9 * at(5),
        min_p: at(6) < 0.6 ? 0 : at(7) * 0.3,
      };
      expect(draw(values, options, at(8)), JSON.stringify({ round, options })).toBe(plainDraw(values, options, at(8)));
    }
  });

  it("never draws what is masked", () => {
    const masked = logits(-Infinity, 0, -Infinity, 0);
    for (let i = 0; i < 200; i++) expect([1, 3]).toContain(draw(masked, { ...all, temperature: 2 }, uniform(1, 0, i)));
  });
});

/** The same as `draw` in the words of the papers: each filter sorts, and normalizes what it leaves. */
function plainDraw(values: Float32Array, { temperature, top_k, top_p, min_p }: typeof all, random: number): number {
  const normal = (kept: [id: number, p: number][]): [number, number][] => {
    const sum = kept.reduce((total, [, p]) => total + p, 0);
    return kept.map(([id, p]) => [id, p / sum]);
  };
  let kept = normal([...values].map((value, id) => [id, Math.exp(value / temperature)]));
  const peak = Math.max(...kept.map(([, p]) => p));
  kept = normal(kept.filter(([, p]) => p >= min_p * peak));
  const falling = kept.toSorted(([a, p], [b, q]) => q - p || a - b);
  if (top_k > 0) kept = normal(falling.slice(0, top_k));
  if (top_p < 1) {
    let before = 0;
    const nucleus: [number, number][] = [];
    for (const [id, p] of top_k > 0 ? kept : falling) {
      if (before < top_p) nucleus.push([id, p]);
      before += p;
    }
    kept = normal(nucleus);
  }
  // Without a filter that sorts, in the order of ids.
  if (top_p === 1 && (top_k === 0 || top_k >= values.length)) kept = kept.toSorted(([a], [b]) => a - b);
  let sum = 0;
  for (const [id, p] of kept) {
    sum += p;
    if (sum > random) return id;
  }
  return kept.findLast(([, p]) => p > 0)?.[0] ?? -1;
}

describe("uniform", () => {
  it("is even, in [0, 1), and differs by seed, choice and step", () => {
    const values = Array.from({ length: 10_000 }, (_, i) => uniform(123, 0, i));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(0.5, 1);
    expect(new Set(values).size).toBe(values.length);
    expect(uniform(1, 0, 0)).not.toBe(uniform(2, 0, 0));
    expect(uniform(1, 0, 0)).not.toBe(uniform(1, 1, 0));
    expect(uniform(-1, 0, 0)).not.toBe(uniform(2 ** 40, 0, 0));
  });
});

describe("Sampler", () => {
  it("penalizes as vLLM defines it", () => {
    const repeated = sampler({ temperature: 0, repetition_penalty: 2 }, [0]);
    expect(repeated.next(logits(4, 3, -1)).id).toBe(1);
    const frequent = sampler({ temperature: 0, frequency_penalty: 1 });
    expect([0, 1, 2, 3].map(() => frequent.next(logits(2.5, 1, 0)).id)).toEqual([0, 0, 1, 0]);
    const present = sampler({ temperature: 0, presence_penalty: 2 }, [1]);
    expect([0, 1, 2].map(() => present.next(logits(2.5, 1, 0)).id)).toEqual([0, 1, 0]);
  });

  it("adds logit_bias, and keeps stop ids back until min_tokens", () => {
    const biased = sampler({ temperature: 0, logit_bias: [[2, 100]] });
    expect(biased.next(logits(1, 2, 0)).id).toBe(2);
    const patient = sampler({ temperature: 0, min_tokens: 2 }, [], [0]);
    expect([0, 1, 2].map(() => patient.next(logits(9, 1, 0)).id)).toEqual([1, 1, 0]);
  });

  it("ends before min_tokens where the grammar allows nothing else", () => {
    const only = (ids: number[]): LogitsProcessor => ({
      apply: (row) => row.forEach((_, id) => (row[id] = ids.includes(id) ? row[id] : -Infinity)),
      accept: () => undefined,
      dispose: () => undefined,
    });
    const held = (ids: number[]): number =>
      sampler({ temperature: 0, min_tokens: 5 }, [], [0], only(ids)).next(logits(1, 2, 3)).id;
    expect([held([0]), held([0, 1]), held([1, 2])]).toEqual([0, 1, 2]);
  });

  it("reports log probabilities of the model's own distribution", () => {
    const token = sampler({ temperature: 0, logprobs: 2, logit_bias: [[1, 100]] }).next(
      logits(0, Math.log(3), -Infinity),
    );
    expect(token.id).toBe(1);
    expect(token.logprobs?.logprob).toBeCloseTo(Math.log(0.75));
    expect(token.logprobs?.top.map(([id]) => id)).toEqual([1, 0]);
    expect(new Logprobs(logits(1000, 1000)).of(0, 0).logprob).toBeCloseTo(Math.log(0.5));
  });

  it("gives the same tokens for the same seed", () => {
    const run = (seed: number): number[] => {
      const one = sampler({ temperature: 1, seed });
      return Array.from({ length: 20 }, () => one.next(logits(1, 1, 1, 1)).id);
    };
    expect(run(5)).toEqual(run(5));
    expect(run(5)).not.toEqual(run(6));
  });
});
