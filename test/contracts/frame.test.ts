import { beforeAll, describe, expect, it } from "vitest";
import { FRAME_CONTENT_TYPE } from "../../shared/frame/schema.ts";
import { encodeFrame, type FrameInput } from "../../shared/frame/encode.ts";
import { importSigningKeys, type SigningKey } from "../../shared/http-signature/keys.ts";
import { signedHeaders } from "../../shared/http-signature/sign.ts";
import { startTestStack, type TestStack } from "../stack.ts";

const digest = "ab".repeat(32);

function frame(meta: Partial<FrameInput["meta"]> = {}): FrameInput {
  return {
    meta: {
      protocol: 1,
      model: "moji-vlm-9m",
      release: digest,
      contract: digest,
      sampling: { max_tokens: 4 },
      features: [],
      ...meta,
    },
    token_ids: Int32Array.of(1, 5, 6),
    tensors: {},
  };
}

describe("the origin's side of the frame contract", () => {
  let stack: TestStack;
  let key: SigningKey;
  beforeAll(async () => {
    stack = await startTestStack();
    [key] = (await importSigningKeys(stack.originKeys)) as [SigningKey];
  });

  async function send(
    body: Uint8Array<ArrayBuffer>,
    change: (headers: Headers) => void = () => undefined,
  ): Promise<{ status: number; code: string }> {
    const url = `${stack.originUrl}/v1/generate`;
    const headers = await signedHeaders({ method: "POST", url, contentType: FRAME_CONTENT_TYPE, body }, key);
    change(headers);
    const response = await fetch(url, { method: "POST", headers, body });
    const { error } = (await response.json()) as { error: { code: string } };
    return { status: response.status, code: error.code };
  }

  it("refuses what is not signed, or was changed on the way", async () => {
    const body = encodeFrame(frame());
    expect(await send(body, (headers) => headers.delete("signature"))).toEqual({
      status: 401,
      code: "invalid_signature",
    });
    expect(await send(body, (headers) => headers.set("content-digest", "sha-256=:AAAA:"))).toEqual({
      status: 401,
      code: "invalid_signature",
    });
  });

  it("refuses a frame cut short, and garbage", async () => {
    const body = encodeFrame(frame());
    expect(await send(body.slice(0, body.length - 3))).toEqual({ status: 400, code: "invalid_frame" });
    expect(await send(body.slice(0, 5))).toEqual({ status: 400, code: "invalid_frame" });
    expect(await send(new Uint8Array(0))).toEqual({ status: 400, code: "invalid_frame" });
    expect(await send(new TextEncoder().encode("hello there, this is no frame"))).toEqual({
      status: 400,
      code: "invalid_frame",
    });
  });

  it("refuses a release that it was not told to serve", async () => {
    expect(await send(encodeFrame(frame()))).toEqual({ status: 409, code: "contract_mismatch" });
  });

  it("still answers afterwards", async () => {
    expect((await fetch(`${stack.originUrl}/healthz`)).status).toBe(200);
  });
});
