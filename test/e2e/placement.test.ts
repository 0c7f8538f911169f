import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import OpenAI from "openai";
import * as z from "zod";
import { BUILTIN_DIR } from "../../infra/local/builtin.ts";
import { LOCAL_CHANNEL } from "../../infra/local/publish-builtin.ts";
import { startStack, type Stack } from "../../infra/local/stack.ts";
import { promoteRelease } from "../../infra/releases/promote-release.ts";
import { publishRelease } from "../../infra/releases/publish-release.ts";
import { s3Store } from "../../infra/store/s3-store.ts";
import { exampleDataUri, examples, type Example } from "../examples.ts";

const MODEL = "moji-onnx";
const spanSchema = z.object({ name: z.string(), place: z.string(), duration_ms: z.number() });
const timed = z.object({ fovea: z.object({ timing: z.object({ spans: z.array(spanSchema) }) }) });

let folder: string;
let stack: Stack;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "fovea-placement-"));
  stack = await startStack({
    port: 0,
    originPort: 0,
    directory: path.join(folder, "stack"),
    apiKey: "k",
  });
  // Without examples there is no gate, so the encoder stays an ONNX graph, which can run on either side.
  const model = path.join(folder, "model");
  await cp(BUILTIN_DIR, model, { recursive: true, filter: (file) => !file.includes("examples") });
  const store = s3Store(stack.s3.bucket, stack.s3);
  const { release } = await publishRelease(model, { model: MODEL, version: "1", store });
  expect(release.stages.vision_encoder).toMatchObject({ placement: "edge", movable: true });
  await promoteRelease({ model: MODEL, version: "1", channel: LOCAL_CHANNEL, store, key: null, trust: "unsigned" });
  store.close();
});

afterAll(async () => {
  await stack.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The answer, and where its picture was encoded. A gate that is full is asked again, as clients do. */
async function ask({
  image,
  question,
}: Example): Promise<{ content: string; place: string; encodeMs: number; header: string }> {
  const client = new OpenAI({ baseURL: `${stack.edgeUrl}/v1`, apiKey: stack.apiKey, maxRetries: 20 });
  const url = await exampleDataUri(image);
  const content: OpenAI.ChatCompletionContentPart[] = [
    { type: "image_url", image_url: { url } },
    { type: "text", text: question },
  ];
  const asked = client.chat.completions.create({ model: MODEL, messages: [{ role: "user", content }] });
  const { data, response } = await asked.withResponse();
  const span = timed.parse(data).fovea.timing.spans.find(({ name }) => name === "encode");
  return {
    content: data.choices[0]?.message.content ?? "",
    place: span?.place ?? "",
    encodeMs: span?.duration_ms ?? 0,
    header: response.headers.get("server-timing") ?? "",
  };
}

describe("the split point under load", () => {
  it("moves to the origin while the encoder at the edge is busy; every answer stays as recorded", async () => {
    const asked = await examples();
    const answers = await Promise.all(asked.map(ask));
    expect(answers.map(({ content }) => content)).toEqual(asked.map(({ answer }) => answer));
    const places = new Set(answers.map(({ place }) => place));
    expect(places).toEqual(new Set(["encoder", "origin"]));
    for (const { encodeMs, header } of answers.filter(({ place }) => place === "origin")) {
      expect(encodeMs).toBeGreaterThan(0);
      expect(header).toMatch(/, encode;dur=\d/);
    }
  });
});
