import { BadRequestError, NotFoundError } from "openai";
import { crc32, gzipSync } from "node:zlib";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { startTestStack, type TestStack } from "../stack.ts";
import { exampleDataUri } from "../examples.ts";
import { ask, MODEL, openaiClient } from "./client.ts";

/** A PNG (W3C PNG, 11.2) whose header says 30,000 x 30,000 RGB, with empty IDAT and IEND chunks: 57 bytes in all. */
const HUGE_PNG = (() => {
  const header = Buffer.from("4948445200007530000075300802000000", "hex");
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(header));
  const empty = Buffer.from("000000004944415435af061e0000000049454e44ae426082", "hex");
  return Buffer.concat([Buffer.from("89504e470d0a1a0a0000000d", "hex"), header, crc, empty]).toString("base64");
})();
/** A whole 1x1 PNG. */
const DOT_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const image = (url: string): object => ({ type: "image_url", image_url: { url } });
const png = (base64: string): object => image(`data:image/png;base64,${base64}`);
const user = (...parts: object[]): object => ({ messages: [{ role: "user", content: parts }] });
const text = { type: "text", text: "What is this?" };

describe("bad input", () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startTestStack();
  });

  /** Whatever was sent before, the next request works. */
  afterEach(async () => {
    const completion = await openaiClient(stack).chat.completions.create({
      model: MODEL,
      messages: await ask("What is this?", "02_what.jpg"),
    });
    expect(completion.choices[0]?.message.content).toBe("A bee.");
  });

  async function post(
    body: BodyInit,
    more: Record<string, string> = {},
  ): Promise<{ status: number; error: { code: string; message: string; type: string; param: string | null } }> {
    const response = await fetch(`${stack.edgeUrl}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${stack.apiKey}`, "content-type": "application/json", ...more },
      body,
      duplex: "half",
    } as RequestInit);
    const { error } = (await response.json()) as {
      error: { code: string; message: string; type: string; param: string | null };
    };
    return { status: response.status, error };
  }

  const rows: [string, object, number, string, string | null][] = [
    ["no messages", { messages: [] }, 400, "invalid_request", "messages"],
    ["messages missing", {}, 400, "invalid_request", "messages"],
    ["a message without a role", { messages: [{ content: "x" }] }, 400, "invalid_request", "messages[0].role"],
    [
      "a number as content",
      { messages: [{ role: "user", content: 7 }] },
      400,
      "invalid_request",
      "messages[0].content",
    ],
    [
      "an unknown part",
      user({ type: "video_url", video_url: { url: "x" } }),
      400,
      "invalid_request",
      "messages[0].content[0].type",
    ],
    ["an unknown model", { model: "gpt-9", ...user(text) }, 404, "model_not_found", "model"],
    ["a model with a path in its name", { model: "../x", ...user(text) }, 404, "model_not_found", "model"],
    ["max_tokens -1", { max_tokens: -1, ...user(text) }, 400, "invalid_request", "max_tokens"],
    ["max_tokens 1.5", { max_tokens: 1.5, ...user(text) }, 400, "invalid_request", "max_tokens"],
    ["temperature 3", { temperature: 3, ...user(text) }, 400, "invalid_request", "temperature"],
    ["five stop strings", { stop: ["a", "b", "c", "d", "e"], ...user(text) }, 400, "invalid_request", "stop"],
    [
      "a token beyond the vocabulary",
      { logit_bias: { "99999": 1 }, ...user(text) },
      400,
      "invalid_request",
      "logit_bias",
    ],
    [
      "an http image",
      user(image("http://127.0.0.1/a.png")),
      400,
      "unsupported_image_url",
      "messages[0].content[0].image_url.url",
    ],
    [
      "a file image",
      user(text, image("file:///etc/passwd")),
      400,
      "unsupported_image_url",
      "messages[0].content[1].image_url.url",
    ],
    ["broken base64", user(png("iVBOR!!!")), 400, "invalid_image", "messages[0].content[0].image_url.url"],
    [
      "text claimed as PNG",
      user(png(btoa("hello, I am a text"))),
      400,
      "invalid_image",
      "messages[0].content[0].image_url.url",
    ],
    ["a 1x1 image", user(png(DOT_PNG)), 400, "image_too_small", "messages[0].content[0].image_url.url"],
    [
      "a 30,000 x 30,000 PNG header",
      user(png(HUGE_PNG)),
      400,
      "image_too_large",
      "messages[0].content[0].image_url.url",
    ],
    ["50 images", user(...Array.from({ length: 50 }, () => png(DOT_PNG))), 400, "too_many_images", "messages"],
    [
      "a prompt beyond the context",
      user({ type: "text", text: "a dog and a cat ".repeat(2000) }),
      400,
      "context_length_exceeded",
      "messages",
    ],
  ];
  it.each(rows)("%s", async (_name, body, status, code, param) => {
    const answer = await post(JSON.stringify({ model: MODEL, ...body }));
    expect([answer.status, answer.error.code, answer.error.param]).toEqual([status, code, param]);
    expect(answer.error.message.length).toBeGreaterThan(10);
    expect(answer.error.message).not.toMatch(/\/work|node_modules|at .*:\d+/);
  });

  it("a picture cut short", async () => {
    const whole = await exampleDataUri("02_what.jpg");
    const answer = await post(JSON.stringify({ model: MODEL, ...user(image(whole.slice(0, 200))) }));
    expect([answer.status, answer.error.code]).toEqual([400, "invalid_image"]);
  });

  it.each([
    ["not JSON", "hello", "invalid_json"],
    ["nothing", "", "invalid_json"],
    ["a list", "[]", "invalid_request"],
    ["half of an object", '{"model": "moji', "invalid_json"],
  ])("%s", async (_name, body, code) => {
    expect(await post(body)).toMatchObject({ status: 400, error: { code, type: "invalid_request_error" } });
  });

  it("bytes that are not UTF-8", async () => {
    expect(await post(Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d))).toMatchObject({
      status: 400,
      error: { code: "invalid_json" },
    });
  });

  it("a compressed body", async () => {
    const body = JSON.stringify({ model: MODEL, ...user(text) });
    const answer = await post(gzipSync(body), { "content-encoding": "gzip" });
    expect([answer.status, answer.error.code]).toEqual([415, "unsupported_media_type"]);
    expect(answer.error.message).toContain("content-encoding");
  });

  it("a body of 100 MB, its length said or not", async () => {
    const block = new Uint8Array(1024 * 1024).fill(0x61);
    const refused = { status: 413, error: { code: "body_too_large" } };
    expect(await post(new Blob(Array.from({ length: 100 }, () => block)))).toMatchObject(refused);
    let sent = 0;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent++ === 100) controller.close();
        else controller.enqueue(block);
      },
    });
    expect(await post(stream)).toMatchObject(refused);
  });

  it("raises the official client's error classes", async () => {
    const client = openaiClient(stack);
    await expect(
      client.chat.completions.create({ model: "nobody", messages: [{ role: "user", content: "x" }] }),
    ).rejects.toBeInstanceOf(NotFoundError);
    await expect(client.chat.completions.create({ model: MODEL, messages: [] })).rejects.toBeInstanceOf(
      BadRequestError,
    );
  });
});
