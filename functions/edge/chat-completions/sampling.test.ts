import { describe, expect, it } from "vitest";
import { samplingSchema, type Sampling } from "../../../shared/frame/schema.ts";
import { MAX_LOGIT_BIAS, MIN_REPETITION_PENALTY } from "../../../shared/limits/limits.ts";
import { chatRequestSchema } from "../../../shared/openai/chat-request.ts";
import { parseJson } from "../body/parse-json.ts";
import { toSampling } from "./sampling.ts";

/** What the origin reads of a request, as it would come. */
function sampled(change: object): Sampling {
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }], ...change });
  const model = { maxPositions: 1000, vocabSize: 5000, doSample: true };
  return samplingSchema.parse(toSampling(parseJson(body, chatRequestSchema), 10, model));
}

function biases(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, id) => [String(id), 0.5]));
}

describe("toSampling", () => {
  it("takes as many biases as a frame may have, and says when there are more", () => {
    expect(sampled({ logit_bias: biases(MAX_LOGIT_BIAS) }).logit_bias).toHaveLength(MAX_LOGIT_BIAS);
    const more = expect.objectContaining({
      code: "invalid_request",
      param: "logit_bias",
      message: `logit_bias: has more than ${MAX_LOGIT_BIAS} tokens`,
    }) as Error;
    expect(() => sampled({ logit_bias: biases(MAX_LOGIT_BIAS + 1) })).toThrow(more);
  });

  it.each([
    ["temperature", 0, 2],
    ["top_p", Number.MIN_VALUE, 1],
    ["top_k", -1, 1_048_576],
    ["min_p", 0, 1],
    ["repetition_penalty", MIN_REPETITION_PENALTY, 10],
    ["presence_penalty", -2, 2],
    ["frequency_penalty", -2, 2],
    ["seed", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ["n", 1, 8],
    ["max_tokens", 1, Number.MAX_SAFE_INTEGER],
  ])("makes a frame of every %s that a request may have", (name, least, most) => {
    for (const value of [least, most]) expect(() => sampled({ [name]: value })).not.toThrow();
  });

  it.each([1e-300, 1e-38, 0.009, 0, -1, 11])("refuses a repetition_penalty of %s", (repetition_penalty) => {
    const refused = expect.objectContaining({ code: "invalid_request", param: "repetition_penalty" }) as Error;
    expect(() => sampled({ repetition_penalty })).toThrow(refused);
  });
});

const SMALL = { maxPositions: 1024, vocabSize: 100, doSample: false };
const ask = (change: object) =>
  toSampling(
    chatRequestSchema.parse({ model: "m", messages: [{ role: "user", content: "hello" }], ...change }),
    1000,
    SMALL,
  );

describe("max_tokens of a frame", () => {
  it("is what the client named, as far as the context goes", () => {
    expect(ask({ max_tokens: 8 }).max_tokens).toBe(8);
    expect(ask({ max_tokens: 8, max_completion_tokens: 9 }).max_tokens).toBe(9);
    expect(ask({ max_tokens: 5000 }).max_tokens).toBe(24);
  });

  it("is absent where the client named none, so that the origin reserves no whole context", () => {
    expect(ask({})).not.toHaveProperty("max_tokens");
    expect(ask({ max_tokens: null })).not.toHaveProperty("max_tokens");
  });
});
