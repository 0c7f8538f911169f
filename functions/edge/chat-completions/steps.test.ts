import { describe, expect, it } from "vitest";
import { answerEventSchema, type AnswerEvent, type AnswerEventInput } from "../../../shared/frame/answer.ts";
import { chatRequestSchema } from "../../../shared/openai/chat-request.ts";
import { compileTokenizer } from "../../../shared/tokenizer/compile/compile.ts";
import { tinyTokenizer } from "../../../shared/tokenizer/tiny-tokenizer.ts";
import { Tokenizer } from "../../../shared/tokenizer/tokenizer.ts";
import { Choice } from "./choice.ts";
import { completeChat } from "./complete.ts";
import type { ChatAnswer } from "./service.ts";
import { toSteps } from "./steps.ts";
import { Stopwatch } from "./stopwatch.ts";
import { streamChat } from "./stream.ts";

const tokenizer = Tokenizer.load(compileTokenizer(tinyTokenizer()));
const END = tokenizer.tokenToId("<|im_end|>") ?? -1;

/** Says `text` in one token a character, for one choice. */
function says(text: string, index = 0): AnswerEventInput[] {
  return Array.from(text, (character) => ({ index, ids: [...tokenizer.encode(character).ids] }));
}

interface Told {
  readonly n?: number;
  readonly stop?: string[];
}

/** An answer to a chat about which the origin tells these events, and how many of them were taken. */
function answerOf(events: readonly AnswerEventInput[], { n = 1, stop = [] }: Told = {}) {
  let taken = 0;
  async function* tell(): AsyncGenerator<AnswerEvent> {
    for (const event of events) {
      taken++;
      yield answerEventSchema.parse(event);
    }
  }
  const choices = Array.from({ length: n }, (_, index) => new Choice(index, tokenizer, stop, null));
  const steps = toSteps(tell(), { choices, promptTokens: 5, onTiming: () => undefined });
  const answer: ChatAnswer = { release: "m@1", digest: "0".repeat(64), prompt_token_ids: Int32Array.of(1), steps };
  const request = chatRequestSchema.parse({ model: "m", n, stop, messages: [{ role: "user", content: "hi" }] });
  return { answer, request, taken: () => taken };
}

async function complete(events: readonly AnswerEventInput[], told?: Told) {
  const { answer, request, taken } = answerOf(events, told);
  const { choices, usage } = await completeChat(request, answer, new Stopwatch(0, true));
  const said = choices.map(({ message, finish_reason }) => [message.content, finish_reason]);
  return { said, tokens: usage.completion_tokens, taken: taken() };
}

async function stream(events: readonly AnswerEventInput[], told?: Told): Promise<string> {
  const { answer, request } = answerOf(events, told);
  return new Response(streamChat(request, answer, new Stopwatch(0, true), "id")).text();
}

const usage = { prompt_tokens: 5, completion_tokens: 3 };

describe("an answer", () => {
  it("is complete when the origin has ended every choice", async () => {
    const events = [...says("hi"), { finish_reason: "stop" as const, stop_token_id: END, usage }];
    expect(await complete(events)).toMatchObject({ said: [["hi", "stop"]], tokens: 3 });
    expect(await stream(events)).toMatch(/"finish_reason":"stop".*\n\ndata: \[DONE\]\n\n$/);
  });

  it.each([
    ["with the first event", [], 1],
    ["in the middle", says("hi"), 1],
    ["between two choices", [...says("hi"), { index: 0, finish_reason: "stop" as const }], 2],
  ])("that ends %s has broken off, streamed and not", async (_, events, n) => {
    await expect(complete(events, { n })).rejects.toMatchObject({ code: "origin_failed", status: 502 });
    const text = await stream(events, { n });
    expect(text).toContain('"code":"origin_failed"');
    expect(text).not.toContain("[DONE]");
  });

  it("ends when every choice has, whoever has ended it, and counts what was taken", async () => {
    const stopped = [
      ...says("ab."),
      ...says("xy", 1),
      { index: 1, finish_reason: "stop" as const, stop_token_id: END },
    ];
    const more = [
      ...says("c".repeat(50)),
      { finish_reason: "length" as const, usage: { ...usage, completion_tokens: 56 } },
    ];
    const told = { n: 2, stop: ["."] };
    const said = [
      ["ab", "stop"],
      ["xy", "stop"],
    ];
    expect(await complete([...stopped, ...more], told)).toEqual({ said, tokens: 6, taken: 6 });
    // The origin's count is that of a choice that went on
    const late = [...says("ab."), ...says("c"), ...says("xy", 1), { finish_reason: "length" as const }];
    const end = {
      index: 1,
      finish_reason: "stop" as const,
      stop_token_id: END,
      usage: { ...usage, completion_tokens: 7 },
    };
    expect(await complete([...late, end], told)).toEqual({ said, tokens: 6, taken: 8 });
  });

  it("stops where a stop string stands, also when the origin ends before an earlier one is ruled out", async () => {
    const events = [...says("xabc"), { finish_reason: "length" as const, usage }];
    expect(await complete(events, { stop: ["abcd", "bc"] })).toMatchObject({ said: [["xa", "stop"]], tokens: 3 });
  });

  it("has the origin's usage when that has ended every choice", async () => {
    const ends = [0, 1].map((index) => ({ index, finish_reason: "length" as const, ...(index === 1 && { usage }) }));
    expect(await complete([...says("a"), ...says("b", 1), ...ends], { n: 2 })).toMatchObject({ tokens: 3, taken: 4 });
  });

  it("says the bytes of each token, also where it is a part of a character", async () => {
    const ids = [...tokenizer.encode("😀").ids];
    expect(ids).toHaveLength(4);
    const logprobs = ids.map((id) => [{ id, logprob: -1 }]);
    const { answer, request } = answerOf([
      { ids, logprobs },
      { finish_reason: "length", usage },
    ]);
    const { choices } = await completeChat({ ...request, logprobs: true }, answer, new Stopwatch(0, true));
    const tokens = choices[0]?.logprobs?.content ?? [];
    expect(tokens.map(({ token }) => token)).toEqual(Array(4).fill("\uFFFD"));
    expect(tokens.map(({ bytes }) => bytes)).toEqual([[0xf0], [0x9f], [0x98], [0x80]]);
  });
});
