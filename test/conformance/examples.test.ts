import { beforeAll, describe, expect, it } from "vitest";
import { examples } from "../examples.ts";
import { startTestStack, type TestStack } from "../stack.ts";
import { ask, MODEL, openaiClient } from "./client.ts";

const all = await examples();

describe("the examples of the built-in model, through the official client", () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startTestStack();
  });

  it.each(all)("$image: $question", async ({ image, question, answer }) => {
    const completion = await openaiClient(stack).chat.completions.create({
      model: MODEL,
      messages: await ask(question, image),
    });
    expect(completion.choices[0]?.message).toMatchObject({ role: "assistant", content: answer });
    expect(completion.choices[0]?.finish_reason).toBe("stop");
    expect(completion.usage?.total_tokens).toBeGreaterThan(16);
  });

  it.each(all)("$image, streamed", async ({ image, question, answer }) => {
    const stream = await openaiClient(stack).chat.completions.create({
      model: MODEL,
      messages: await ask(question, image),
      stream: true,
    });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    expect(text).toBe(answer);
  });
});
