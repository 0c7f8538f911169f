import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { worstPictures } from "../../functions/edge/media/worst-pictures.fixture.ts";
import { startTestStack, type TestStack } from "../stack.ts";
import { MODEL } from "./client.ts";

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.stop());

function post(body: string | ReadableStream<Uint8Array>, signal: AbortSignal | null = null): Promise<Response> {
  const headers = { authorization: `Bearer ${stack.apiKey}`, "content-type": "application/json" };
  return fetch(`${stack.edgeUrl}/v1/chat/completions`, {
    method: "POST",
    headers,
    body,
    signal,
    duplex: "half",
  } as RequestInit);
}

function bodyOf(files: readonly Uint8Array[]): string {
  const content = files.map((file) => ({
    type: "image_url",
    image_url: { url: `data:image/png;base64,${Buffer.from(file).toString("base64")}` },
  }));
  return JSON.stringify({ model: MODEL, messages: [{ role: "user", content }], max_tokens: 1 });
}

describe("clients that leave in the middle", () => {
  it("give back the room that their bodies and pictures took", { timeout: 60_000 }, async () => {
    const [png, jpeg] = await worstPictures();
    const body = bodyOf([png.bytes, jpeg.bytes.subarray(0, 5_000_000)]);
    const leaving = [0, 30, 60, 100, 150, 200, 300, 400, 600, 800].map(async (ms) =>
      post(body, AbortSignal.timeout(ms)).then(
        (response) => response.status,
        () => "left",
      ),
    );
    const stalled = new AbortController();
    // Says no length, so it may take all room, and then sends nothing
    const stalling = post(new ReadableStream({ pull: () => new Promise(() => undefined) }), stalled.signal);
    const outcomes = await Promise.all(leaving);
    stalled.abort();
    await expect(stalling).rejects.toThrow();
    expect(outcomes.filter((outcome) => outcome === "left").length).toBeGreaterThan(5);
    const response = await post(bodyOf([png.bytes]));
    expect(response.status, await response.text()).toBe(200);
  });
});
