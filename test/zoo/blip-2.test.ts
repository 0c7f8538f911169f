import OpenAI from "openai";
import { beforeAll, describe, expect, it } from "vitest";
import { startTestStack } from "../stack.ts";
import { ask } from "./ask.ts";
import { FIXTURES, modelsIn, type ReferenceRequest, type ZooModel } from "./models.ts";
import { publishModel } from "./publish.ts";

const MODEL = "blip-2-alone";
/** `max_position_embeddings` of the fixture, and the rows of a picture. */
const [POSITIONS, QUERIES] = [256, 8];

let client: OpenAI;
let zooModel: ZooModel;

beforeAll(async () => {
  const stack = await startTestStack();
  const found = modelsIn(FIXTURES).find(({ name }) => name === "blip-2");
  if (found === undefined) throw new Error("test/zoo/models has no blip-2.");
  zooModel = found;
  await publishModel(stack.s3, zooModel, MODEL, "edge");
  client = new OpenAI({ baseURL: `${stack.edgeUrl}/v1`, apiKey: stack.apiKey, maxRetries: 2 });
});

const asked = (text: string, ...images: string[]): ReferenceRequest => ({
  name: "",
  images,
  messages: [
    {
      role: "user",
      content: [...images.map((image) => ({ type: "image" as const, image })), { type: "text" as const, text }],
    },
  ],
  input_ids: [],
  output_ids: [],
  text: "",
});

const answer = (request: ReferenceRequest) => ask(client, zooModel, { model: MODEL, request, stream: false });

describe("BLIP-2", () => {
  it("takes one picture a chat, as its processor does", async () => {
    const two = asked("Compare them.", "tiny-9x7.png", "gray-98x70.png");
    await expect(answer(two)).rejects.toMatchObject({ status: 400, code: "too_many_images", param: "messages" });
    await expect(answer(two)).rejects.toThrow("at most 1 in a chat");
  });

  it("keeps a picture's features for another question: they depend on nothing else", async () => {
    const first = await answer(asked("What is it?", "palette-250x180.png"));
    const second = await answer(asked("Which colour has it?", "palette-250x180.png"));
    const featureBytes = QUERIES * 64 * 2;
    expect(first.wireBytes).toBeGreaterThan(featureBytes);
    expect(first.wireBytes - second.wireBytes).toBeGreaterThan(featureBytes);
    expect(second.token_ids).not.toEqual(first.token_ids);
  });

  it("never leaves the table of learned positions", async () => {
    const wanted = {
      model: MODEL,
      messages: [{ role: "user" as const, content: "cat ".repeat(100).trim() }],
      temperature: 0,
      max_tokens: 1000,
      ignore_eos: true,
    };
    const { choices, usage } = await client.chat.completions.create(wanted);
    expect(choices[0]?.finish_reason).toBe("length");
    expect(usage?.total_tokens).toBe(POSITIONS);
    const beyond = asked("cat ".repeat(2 * POSITIONS));
    await expect(answer(beyond)).rejects.toMatchObject({ status: 400, code: "context_length_exceeded" });
  });
});
