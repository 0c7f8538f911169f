import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Backbone, KvSequence } from "../../functions/origin/backbones/backbone.ts";
import type { GenerateRequest } from "../../functions/origin/engine/request.ts";
import type { LogitsProcessor } from "../../functions/origin/engine/sampling/sampler.ts";
import { alone, exampleRequest, harness, openBuiltin, request } from "./builtin.ts";

let backbone: Backbone;
beforeAll(async () => {
  backbone = await openBuiltin();
});
afterAll(() => backbone.dispose());

const HEALTHY = 8;
const healthy = (): GenerateRequest[] =>
  Array.from({ length: HEALTHY }, (_, i) =>
    i % 2 === 0
      ? exampleRequest(i, { id: `healthy-${i}` }).request
      : request({ id: `healthy-${i}`, tokenIds: [1, 9 + i, 60, 70], sampling: { temperature: 1, seed: i } }),
  );

/** The backbone of a graph that breaks in one sequence: in its prefill, or when it decodes, also beside others. */
function breaking(inner: Backbone, where: "prefill" | "decode"): Backbone & { mark(): void } {
  let nextIsPoison = false;
  const poisoned = new Set<KvSequence>();
  return {
    spec: inner.spec,
    provider: inner.provider,
    mark: () => (nextIsPoison = true),
    embed: (ids) => inner.embed(ids),
    open(expected) {
      const kv = inner.open(expected);
      if (nextIsPoison) poisoned.add(kv);
      nextIsPoison = false;
      return kv;
    },
    close: (kv) => inner.close(kv),
    footprint: (lengths) => inner.footprint(lengths),
    plan: (lengths, tight) => inner.plan(lengths, tight),
    prefill(kv, embeds) {
      if (where === "prefill" && poisoned.has(kv)) throw new Error("the graph broke at /some/path");
      return inner.prefill(kv, embeds);
    },
    // One group for all, so that the broken row takes its neighbours' call down with it.
    groups: (rows) => (rows.length === 0 ? [] : [rows]),
    async decode(group) {
      if (where === "decode" && group.some(({ kv }) => poisoned.has(kv))) throw new Error("the graph broke");
      const results = new Map<unknown, Float32Array>();
      for (const part of inner.groups(group)) {
        const logits = await inner.decode(part);
        part.forEach((row, i) => results.set(row, logits[i] ?? new Float32Array(0)));
      }
      return group.map((row) => results.get(row) ?? new Float32Array(0));
    },
    readBlock: (kv, from, count) => inner.readBlock(kv, from, count),
    appendBlocks: (kv, blocks, count) => inner.appendBlocks(kv, blocks, count),
    dispose: () => inner.dispose(),
  };
}

const throwing: LogitsProcessor = {
  apply: () => {
    throw new Error("the grammar broke");
  },
  accept: () => undefined,
  dispose: () => undefined,
};

const forbidding: LogitsProcessor = {
  apply: (logits) => logits.fill(-Infinity),
  accept: () => undefined,
  dispose: () => undefined,
};

function withFeatures(value: number): GenerateRequest {
  const { request: one } = exampleRequest(3, { id: "poison" });
  return { ...one, features: one.features.map((f) => ({ ...f, rows: new Float32Array(f.rows.length).fill(value) })) };
}

const tokens = [1, 50, 60, 70, 80];
const kinds: [string, () => GenerateRequest, readonly LogitsProcessor[], ("prefill" | "decode") | null][] = [
  ["features that are NaN", () => withFeatures(Number.NaN), [], null],
  ["features at the end of float16", () => withFeatures(65_504), [], null],
  ["an id outside the vocabulary", () => request({ id: "poison", tokenIds: [1, 99_999, 4] }), [], null],
  ["a grammar that throws", () => request({ id: "poison", tokenIds: tokens }), [throwing], null],
  ["a grammar that allows nothing", () => request({ id: "poison", tokenIds: tokens }), [forbidding], null],
  ["a graph that breaks in prefill", () => request({ id: "poison", tokenIds: tokens }), [], "prefill"],
  ["a graph that breaks in decode", () => request({ id: "poison", tokenIds: tokens }), [], "decode"],
  ["a deadline that is over", () => request({ id: "poison", tokenIds: tokens, deadline: 1 }), [], null],
  [
    "more cache than there is",
    () => request({ id: "poison", tokenIds: tokens, sampling: { max_tokens: 1_000_000, n: 8 } }),
    [],
    null,
  ],
];

describe("one poison request beside eight healthy streams", () => {
  it.each(kinds)("%s", async (name, make, processors, breaks) => {
    const requests = healthy();
    const expected = await alone(backbone, requests);
    const broken = breaks === null ? null : breaking(backbone, breaks);
    const small = name.startsWith("more cache") ? { kvBytes: 24 * 1024 * 1024 } : {};
    const { engine, outcome, drain } = harness(broken ?? backbone, small);
    for (const one of requests.slice(0, HEALTHY / 2)) engine.submit(one);
    await engine.step();
    await engine.step();
    const poison = make();
    const before = engine.running;
    engine.submit(poison, processors);
    broken?.mark();
    await engine.step();
    expect(before).toBeGreaterThan(0);
    for (const one of requests.slice(HEALTHY / 2)) engine.submit(one);
    await drain();
    expect(requests.map(({ id }) => outcome(id).transcript)).toEqual(expected.map(({ transcript }) => transcript));
    if (name !== "features at the end of float16") {
      expect(outcome("poison").end).toBe("error");
      expect(outcome("poison").transcript.join()).not.toContain("/some/path");
    }
    expect(outcome("poison").end).not.toBeNull();
    expect(engine.budget.reserved).toBe(0);
  });
});
