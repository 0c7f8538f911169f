import { describe, expect, it } from "vitest";
import { readBody } from "./read-body.ts";

function post(body: ReadableStream<Uint8Array>): Request {
  return new Request("http://origin/v1/generate", { method: "POST", body, duplex: "half" } as RequestInit);
}

describe("readBody", () => {
  it("gives the bytes as one, up to the cap", async () => {
    const body = (): ReadableStream<Uint8Array> =>
      new ReadableStream({
        start(controller) {
          for (const part of [Uint8Array.of(1, 2), Uint8Array.of(3)]) controller.enqueue(part);
          controller.close();
        },
      });
    expect(await readBody(post(body()), 3)).toEqual(Uint8Array.of(1, 2, 3));
    await expect(readBody(post(body()), 2)).rejects.toMatchObject({ code: "body_too_large" });
  });

  it("takes a client that leaves in the middle for the client's error", async () => {
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(Uint8Array.of(1));
        controller.error(new Error("aborted"));
      },
    });
    await expect(readBody(post(body), 3)).rejects.toMatchObject({ code: "invalid_frame", status: 400 });
  });
});
