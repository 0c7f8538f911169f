import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Backbone } from "../../functions/origin/backbones/backbone.ts";
import type { GenerateRequest } from "../../functions/origin/engine/request.ts";
import type { LogitsProcessor } from "../../functions/origin/engine/sampling/sampler.ts";
import { alone, EXAMPLES, exampleRequest, harness, openBuiltin, random, request } from "./builtin.ts";
import { expectAsAlone } from "./join-and-leave.ts";

let backbone: Backbone;
beforeAll(async () => {
  backbone = await openBuiltin();
});
afterAll(() => backbone.dispose());

/** Prompts without a picture of many lengths, greedy and drawn. */
function mixed(count: number, seed: number): GenerateRequest[] {
  const next = random(seed);
  return Array.from({ length: count }, (_, i) => {
    if (i % 3 === 0) return exampleRequest(i, { id: `mixed-${i}` }).request;
    const length = 2 + Math.floor(next() * 90);
    const tokenIds = [1, ...Array.from({ length }, () => 5 + Math.floor(next() * 2000))];
    const sampling = { max_tokens: 1 + Math.floor(next() * 24), temperature: i % 2, seed: i, ignore_eos: i % 4 === 1 };
    return request({ id: `mixed-${i}`, tokenIds, sampling });
  });
}

describe("the engine on the built-in model", () => {
  it("gives the recorded answer to every example, all at once", async () => {
    const { engine, outcome, drain } = harness(backbone);
    const asked = Array.from({ length: EXAMPLES }, (_, i) => exampleRequest(i));
    for (const one of asked) engine.submit(one.request);
    await drain();
    expect(asked.map((one) => outcome(one.request.id).choices[0])).toEqual(asked.map((one) => one.answer));
  });

  it.each([1, 2, 3])("is batch-invariant: random joins and leaves change no token (seed %i)", async (seed) => {
    await expectAsAlone(backbone, mixed(24, seed), { seed: seed + 100, settings: { maxSequences: 7 } });
  });

  it("splits prompts into chunks without changing a token", async () => {
    const tokenIds = Array.from({ length: 333 }, (_, i) => 5 + ((i * 37) % 2000));
    const one = request({ id: "long", tokenIds });
    const [whole] = await alone(backbone, [one]);
    for (const maxChunkTokens of [2, 3, 17, 64]) {
      const { engine, outcome, drain } = harness(backbone, { maxChunkTokens, prefixCache: false });
      engine.submit(one);
      await drain();
      expect(outcome("long").transcript).toEqual(whole?.transcript);
    }
  });

  it("keeps streams going while the mask of another is not there, and holds that one to it later", async () => {
    const { engine, outcome, drain } = harness(backbone);
    let come: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (come = resolve));
    let masks = 0;
    const processor: LogitsProcessor = {
      prepare: () => (masks++ === 0 ? Promise.resolve() : held),
      apply: (logits) => logits.fill(-Infinity).fill(0, 50, 51),
      accept: () => undefined,
      dispose: () => undefined,
    };
    const sampling = { max_tokens: 6, ignore_eos: true };
    engine.submit(request({ id: "held", tokenIds: [1, 50, 60], sampling }), [processor]);
    engine.submit(request({ id: "free", tokenIds: [1, 50, 60], sampling }));
    for (let step = 0; outcome("free").end === null; step++) {
      expect(step).toBeLessThan(20);
      await engine.step();
    }
    expect(outcome("held").choices[0]).toEqual([50]);
    come();
    await drain();
    expect(outcome("held").choices[0]).toEqual([50, 50, 50, 50, 50, 50]);
  });

  it("keeps streams going while a long prompt comes in", async () => {
    const { engine, outcome } = harness(backbone, { maxChunkTokens: 32, prefixCache: false });
    const stream = request({ id: "stream", tokenIds: [1, 50, 60], sampling: { max_tokens: 64, ignore_eos: true } });
    engine.submit(stream);
    await engine.step();
    await engine.step();
    engine.submit(request({ id: "long", tokenIds: Array.from({ length: 600 }, (_, i) => 5 + (i % 2000)) }));
    let steps = 0;
    for (; outcome("long").choices.length === 0; steps++) {
      const before = outcome("stream").choices[0]?.length ?? 0;
      await engine.step();
      expect(outcome("stream").choices[0]?.length).toBe(before + 1);
    }
    expect(steps).toBeGreaterThan(5);
  });

  it("reuses the prefix of the second question about a picture, and gives the same answer", async () => {
    const first = exampleRequest(0, { id: "first" }).request;
    const tokenIds = [...first.tokenIds.slice(0, 18), ...first.tokenIds.slice(19)];
    const second = request({ id: "second", tokenIds, features: first.features });
    const [expected] = await alone(backbone, [second]);
    const { engine, outcome, drain } = harness(backbone);
    engine.submit(first);
    await drain();
    engine.submit(second);
    await drain();
    expect(outcome("first").cachedTokens).toBe(0);
    expect(outcome("second").cachedTokens).toBe(16);
    expect(outcome("second").transcript).toEqual(expected?.transcript);
  });

  it("shares no prefix between two salts, nor between two pictures", async () => {
    const { engine, outcome, drain } = harness(backbone);
    engine.submit(exampleRequest(0, { id: "a", salt: "one" }).request);
    await drain();
    const other = exampleRequest(0, { id: "b", salt: "two" }).request;
    const otherPicture = { ...exampleRequest(0, { id: "c", salt: "one" }).request };
    const features = otherPicture.features.map((feature) => ({ ...feature, hash: "f".repeat(64) }));
    engine.submit(other);
    engine.submit({ ...otherPicture, features });
    await drain();
    expect(outcome("b").cachedTokens).toBe(0);
    expect(outcome("c").cachedTokens).toBe(0);
  });

  it("draws n answers of which each is the one that its seed and number give", async () => {
    const sampling = { temperature: 1, seed: 42, max_tokens: 12, n: 4 };
    const many = request({ id: "n4", tokenIds: [1, 50, 60, 70], sampling });
    const [expected] = await alone(backbone, [many]);
    const { engine, outcome, drain } = harness(backbone);
    for (const other of mixed(8, 9)) engine.submit(other);
    engine.submit(many);
    await drain();
    expect(outcome("n4").choices).toEqual(expected?.choices);
    expect(new Set(expected?.choices.map((ids) => ids.join())).size).toBeGreaterThan(1);
  });
});
