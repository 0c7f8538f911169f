import OpenAI from "openai";
import { exampleDataUri } from "../examples.ts";
import type { TestStack } from "../stack.ts";

export const MODEL = "moji-vlm-9m";

/** The official client, as users make it. Retries are off: a test wants to see the first answer. */
export function openaiClient(stack: TestStack, apiKey = stack.apiKey): OpenAI {
  return new OpenAI({ baseURL: `${stack.edgeUrl}/v1`, apiKey, maxRetries: 0 });
}

type Message = OpenAI.ChatCompletionMessageParam;

/** A question about one of the model's example pictures. */
export async function ask(question: string, ...images: string[]): Promise<Message[]> {
  const parts = await Promise.all(
    images.map(async (image) => ({ type: "image_url" as const, image_url: { url: await exampleDataUri(image) } })),
  );
  return [{ role: "user", content: [...parts, { type: "text", text: question }] }];
}
