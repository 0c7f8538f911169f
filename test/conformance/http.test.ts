import { AuthenticationError, NotFoundError } from "openai";
import { beforeAll, describe, expect, it } from "vitest";
import { ALLOWED_ORIGIN, startTestStack, type TestStack } from "../stack.ts";
import { MODEL, openaiClient } from "./client.ts";

describe("the API's HTTP", () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startTestStack();
  });

  function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(stack.edgeUrl + path, { headers: { authorization: `Bearer ${stack.apiKey}`, ...headers } });
  }

  it("lists models and shows one", async () => {
    const client = openaiClient(stack);
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    expect(ids).toContain(MODEL);
    expect(await client.models.retrieve(MODEL)).toMatchObject({ id: MODEL, object: "model", owned_by: "fovea" });
    await expect(client.models.retrieve("nobody")).rejects.toBeInstanceOf(NotFoundError);
    await expect(client.models.retrieve("..%2f..%2fx")).rejects.toBeInstanceOf(NotFoundError);
  });

  it("answers /healthz without a key", async () => {
    const response = await fetch(`${stack.edgeUrl}/healthz`);
    expect([response.status, await response.json()]).toEqual([200, expect.objectContaining({ status: "ok" })]);
  });

  it.each(["/v1/models", "/v1/chat/completions", "/v1/no-such-path"])("asks for a key at %s", async (path) => {
    for (const authorization of ["", "Bearer", "Bearer wrong", `Basic ${stack.apiKey}`, `Bearer ${stack.apiKey}x`]) {
      const response = await fetch(stack.edgeUrl + path, { headers: { authorization } });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ error: { code: "invalid_api_key", type: "authentication_error" } });
    }
    await expect(openaiClient(stack, "wrong").models.list()).rejects.toBeInstanceOf(AuthenticationError);
  });

  it("answers unknown paths and methods in the API's error shape", async () => {
    const unknown = await get("/v1/no-such-path");
    expect([unknown.status, await unknown.json()]).toEqual([
      404,
      expect.objectContaining({ error: expect.anything() as object }),
    ]);
    const wrong = await get("/v1/chat/completions");
    expect([wrong.status, await wrong.json()]).toEqual([
      405,
      expect.objectContaining({ error: expect.anything() as object }),
    ]);
  });

  it.each([
    ["GET", "/v1/chat/completions", "POST"],
    ["POST", "/v1/models", "GET, HEAD"],
    ["DELETE", `/v1/models/${MODEL}`, "GET, HEAD"],
  ])("answers %s %s with the methods that there are", async (method, path, allowed) => {
    const response = await fetch(stack.edgeUrl + path, {
      method,
      headers: { authorization: `Bearer ${stack.apiKey}` },
    });
    expect([response.status, response.headers.get("allow")]).toEqual([405, allowed]);
    expect(await response.json()).toMatchObject({ error: { code: "method_not_allowed" } });
    expect((await fetch(stack.edgeUrl + path, { method })).status).toBe(401);
  });

  it("keeps a harmless x-request-id and replaces any other", async () => {
    expect((await get("/v1/models", { "x-request-id": "abc-123" })).headers.get("x-request-id")).toBe("abc-123");
    const replaced = (await get("/v1/models", { "x-request-id": 'a b"<script>' })).headers.get("x-request-id");
    expect(replaced).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("answers preflights for allowed origins only, and lets the page's own origin in", async () => {
    const preflight = (origin: string): Promise<Response> =>
      fetch(`${stack.edgeUrl}/v1/chat/completions`, {
        method: "OPTIONS",
        headers: {
          origin,
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization, content-type, x-stainless-os",
        },
      });
    const allowed = await preflight(ALLOWED_ORIGIN);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("access-control-allow-origin")).toBe(ALLOWED_ORIGIN);
    expect(allowed.headers.get("access-control-allow-headers")).toBe("authorization, content-type, x-stainless-os");
    const refused = await preflight("https://evil.example.com");
    expect(refused.status).toBe(403);
    expect(refused.headers.get("access-control-allow-origin")).toBeNull();
    const actual = await get("/v1/models", { origin: ALLOWED_ORIGIN });
    expect(actual.headers.get("access-control-allow-origin")).toBe(ALLOWED_ORIGIN);
    const unauthorized = await get("/v1/models", { origin: ALLOWED_ORIGIN, authorization: "Bearer no" });
    expect(unauthorized.headers.get("access-control-allow-origin")).toBe(ALLOWED_ORIGIN);
    expect((await get("/v1/models", { origin: new URL(stack.edgeUrl).origin })).status).toBe(200);
  });
});
