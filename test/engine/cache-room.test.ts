import { describe, expect, it } from "vitest";
import { SlotCache } from "../../functions/origin/backbones/slot-cache.ts";
import { kvBytesPerToken } from "../../functions/origin/backbones/spec.ts";
import { checkRequest } from "../../functions/origin/engine/check-request.ts";
import { OPEN_TOKENS } from "../../functions/origin/engine/kv-budget.ts";
import type { GenerateRequest } from "../../functions/origin/engine/request.ts";
import { alone, harness, random, request } from "./builtin.ts";
import { fakeBackbone, SPEC } from "./fake-backbone.ts";

const backbone = fakeBackbone();
const PROMPT = [1, 8, 9];
/** Without `max_tokens`, and going on for ever. */
const open = (id: string, n = 1) =>
  request({ id, tokenIds: PROMPT, sampling: { max_tokens: undefined, ignore_eos: true, n } });
const named = (id: string, max_tokens: number) =>
  request({ id, tokenIds: PROMPT, sampling: { max_tokens, ignore_eos: true } });
const cacheOf = (tokens: number) => ({ kvBytes: kvBytesPerToken(backbone.spec) * tokens });

describe("a request without max_tokens", () => {
  it("is answered where the cache is smaller than the context, and ends with length", async () => {
    const { engine, outcome, drain } = harness(backbone, cacheOf(256));
    engine.submit(open("x"));
    engine.submit(open("two", 2));
    await drain();
    expect(outcome("x").choices[0]).toHaveLength(256 - PROMPT.length + 1);
    expect(outcome("two").choices.map(({ length }) => length)).toEqual([126, 126]);
    expect(outcome("x").transcript.at(-2)).toContain('"reason":"length"');
    expect(engine.budget.reserved).toBe(0);
  });

  it("goes on to the end of the context where the cache lasts", async () => {
    const [whole] = await alone(backbone, [open("x")]);
    expect(whole?.choices[0]).toHaveLength(backbone.spec.maxPositions - PROMPT.length);
  });

  it("leaves room for others like it, and each gets its first tokens", async () => {
    const count = 6;
    const { engine, outcome, drain } = harness(backbone, cacheOf(count * (OPEN_TOKENS + 32)));
    const ids = Array.from({ length: count }, (_, i) => `x${i}`);
    for (const id of ids) engine.submit(open(id));
    await engine.step();
    expect(engine.running).toBe(count);
    await drain();
    const [expected] = await alone(backbone, [open("x")]);
    for (const id of ids) {
      const [answer = []] = outcome(id).choices;
      expect(answer.length).toBeGreaterThanOrEqual(OPEN_TOKENS);
      expect(answer).toEqual(expected?.choices[0]?.slice(0, answer.length));
    }
    expect(engine.budget.reserved).toBe(0);
  });

  it("takes what prefixes hold, which give way", async () => {
    const { engine, outcome, drain } = harness(backbone, cacheOf(1024));
    const long = Array.from({ length: 400 }, (_, i) => 4 + (i % 12));
    engine.submit(request({ id: "long", tokenIds: long, sampling: { max_tokens: 8 } }));
    await drain();
    expect(engine.budget.cached).toBeGreaterThan(20);
    engine.submit(open("x"));
    await drain();
    expect(outcome("x").choices[0]).toHaveLength(1024 - PROMPT.length + 1);
    expect(engine.budget.cached).toBe(engine.prefixes.size);
  });

  it("never cuts the answer of one who named max_tokens", async () => {
    const { engine, outcome, drain } = harness(backbone, cacheOf(2 * OPEN_TOKENS + 800));
    engine.submit(open("a"));
    engine.submit(named("named", 700));
    engine.submit(open("b"));
    engine.submit(named("late", 900));
    await drain();
    expect(outcome("named").choices[0]).toHaveLength(700);
    expect(outcome("late").choices[0]).toHaveLength(900);
  });
});

describe("a max_tokens that the whole cache cannot hold", () => {
  it("is the caller's to change, and says to what", () => {
    const { spec } = backbone;
    const { engine, outcome } = harness(backbone, cacheOf(256));
    engine.submit(named("x", 255));
    expect(outcome("x").error).toBe("invalid_request");
    expect(outcome("x").transcript[0]).toContain("room for 254 tokens");
    const limits = { spec, maxSequences: 16, longest: engine.longest };
    expect(() => checkRequest(named("x", 255), limits)).toThrow("room for 254 tokens");
    expect(() => checkRequest(named("x", 254), limits)).not.toThrow();
    expect(engine.longest.slice(0, 4)).toEqual([256, 128, 80, 64]);
    expect(() => checkRequest(open("x", 8), limits)).not.toThrow();
    const long = request({ tokenIds: Array<number>(300).fill(5), sampling: { max_tokens: undefined } });
    expect(() => checkRequest(long, limits)).toThrow("the prompt alone has 300");
  });
});

describe("an engine whose sequences share one array", () => {
  const TOKENS = 4096;
  const tokenBytes = kvBytesPerToken(SPEC);

  /** The most that the array took, in positions, while all requests were answered. */
  async function serve(requests: readonly GenerateRequest[]) {
    const slots = new SlotCache(SPEC, 16);
    const { engine, outcome, drain } = harness(fakeBackbone({}, slots), cacheOf(TOKENS));
    let [most, together] = [0, 0];
    for (const one of requests) engine.submit(one);
    for (let steps = 0; !engine.idle; steps++) {
      if (steps > 50_000) throw new Error("the engine does not come to an end");
      await engine.step();
      expect(slots.bytes).toBeLessThanOrEqual(engine.budget.reserved * 16 * tokenBytes);
      most = Math.max(most, slots.bytes / tokenBytes);
      together = Math.max(together, engine.running);
    }
    await drain();
    expect(engine.budget.reserved).toBe(0);
    return { most, together, answers: requests.map(({ id }) => outcome(id).choices.map(({ length }) => length)) };
  }

  it("stays within its cache with one long request and many short ones, which wait", async () => {
    const long = named("long", 1900);
    const short = Array.from({ length: 15 }, (_, i) => named(`short${i}`, 60));
    const { most, answers } = await serve([long, ...short]);
    expect(most).toBeLessThanOrEqual(TOKENS);
    expect(answers.flat()).toEqual([1900, ...short.map(() => 60)]);
  });

  it("gives back what a long one left as soon as others wait for it", async () => {
    const slow = named("slow", 450);
    const { most, together } = await serve([
      request({ id: "long", tokenIds: Array<number>(1900).fill(8), sampling: { max_tokens: 4, ignore_eos: true } }),
      slow,
      ...Array.from({ length: 6 }, (_, i) => named(`short${i}`, 300)),
    ]);
    expect(most).toBeLessThanOrEqual(TOKENS);
    expect(together).toBe(7);
  });

  it("stays within it with random requests, some without max_tokens", async () => {
    const next = random(5);
    const requests = Array.from({ length: 120 }, (_, i) => {
      const tokenIds = Array.from({ length: 1 + Math.floor(next() * (i % 9 === 0 ? 1500 : 200)) }, () => 8);
      const max_tokens = i % 4 === 0 ? undefined : 1 + Math.floor(next() * 300);
      return request({ id: `r${i}`, tokenIds, sampling: { max_tokens, n: 1 + (i % 3), ignore_eos: true } });
    });
    const { most, answers } = await serve(requests);
    expect(most).toBeLessThanOrEqual(TOKENS);
    for (const [i, { sampling }] of requests.entries()) {
      for (const length of answers[i] ?? []) {
        if (sampling.max_tokens === undefined) expect(length).toBeGreaterThan(0);
        else expect(length).toBe(sampling.max_tokens);
      }
    }
  });
});
