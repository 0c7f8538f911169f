import { describe, expect, it } from "vitest";
import { kvBytesPerToken } from "../../functions/origin/backbones/spec.ts";
import { checkRequest } from "../../functions/origin/engine/check-request.ts";
import { OPEN_TOKENS } from "../../functions/origin/engine/kv-budget.ts";
import { alone, harness, request } from "./builtin.ts";
import { fakeBackbone } from "./fake-backbone.ts";

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
    const limits = { spec, maxSequences: 16, cacheBlocks: 16 };
    expect(() => checkRequest(named("x", 255), limits)).toThrow("room for 254 tokens");
    expect(() => checkRequest(named("x", 254), limits)).not.toThrow();
    expect(() => checkRequest(open("x", 8), limits)).not.toThrow();
    const long = request({ tokenIds: Array<number>(300).fill(5), sampling: { max_tokens: undefined } });
    expect(() => checkRequest(long, limits)).toThrow("the prompt alone has 300");
  });
});
