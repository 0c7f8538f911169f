import OpenAI from "openai";
import { beforeAll, describe, expect, it } from "vitest";
import { startTestStack } from "../stack.ts";
import { FIXTURES, imageUrl, modelsIn } from "./models.ts";
import { publishModel } from "./publish.ts";

const MODEL = "paligemma-refuses";

let client: OpenAI;
let image: OpenAI.ChatCompletionContentPartImage;
beforeAll(async () => {
  const stack = await startTestStack();
  const paligemma = modelsIn(FIXTURES).find(({ name }) => name === "paligemma");
  if (paligemma === undefined) throw new Error("the model is part of the repository");
  await publishModel(stack.s3, paligemma, MODEL, "edge");
  client = new OpenAI({ baseURL: `${stack.edgeUrl}/v1`, apiKey: stack.apiKey, maxRetries: 2 });
  image = { type: "image_url", image_url: { url: await imageUrl(paligemma, "tiny-9x7.png") } };
});

function ask(...messages: OpenAI.ChatCompletionMessageParam[]) {
  return client.chat.completions.create({ model: MODEL, messages, max_tokens: 4, temperature: 0 });
}

describe("a model that reads one prompt about pictures", () => {
  const words = { type: "text", text: "caption en" } as const;

  it.each([
    ["no picture", "reads a picture with every prompt", () => ask({ role: "user", content: "caption en" })],
    [
      "a second turn",
      "takes one message",
      () =>
        ask(
          { role: "user", content: [image, words] },
          { role: "assistant", content: "A cat." },
          { role: "user", content: "And now?" },
        ),
    ],
    [
      "a system message",
      "takes one message",
      () => ask({ role: "system", content: "Be brief." }, { role: "user", content: [image, words] }),
    ],
  ])("refuses %s", async (_what, message, asked) => {
    await expect(asked()).rejects.toMatchObject({ status: 400, message: expect.stringContaining(message) as string });
  });

  it("reuses a picture's features, and nothing of its prompt", async () => {
    await ask({ role: "user", content: [image, words] });
    const again = await ask({ role: "user", content: [image, words] });
    expect(again.usage?.prompt_tokens).toBeGreaterThan(16);
    expect(again.usage?.prompt_tokens_details?.cached_tokens ?? 0).toBe(0);
  });
});
