import { serve, type ServerType } from "@hono/node-server";
import { request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApp } from "../../functions/origin/app.ts";
import type { OriginContext } from "../../functions/origin/context.ts";
import { EngineHost } from "../../functions/origin/engine/host.ts";
import { Encoders } from "../../functions/origin/encoder/encoders.ts";
import { FeatureCache } from "../../functions/origin/features/feature-cache.ts";
import { Admission } from "../../functions/origin/generate/admission.ts";
import type { LocalRelease } from "../../functions/origin/releases/local-cache.ts";
import { Serving } from "../../functions/origin/serving/serving.ts";
import { readSettings } from "../../functions/origin/settings.ts";
import { encodeF16 } from "../../shared/frame/f16.ts";
import { FRAME_CONTENT_TYPE } from "../../shared/frame/schema.ts";
import { importSigningKeys } from "../../shared/http-signature/keys.ts";
import { NonceCache } from "../../shared/http-signature/nonces.ts";
import { tensorOf } from "../../shared/safetensors/dtypes.ts";
import { builtinSource, exampleRequest, SETTINGS } from "./builtin.ts";
import { events, OriginClient } from "./origin-client.ts";

const KEYS = `one:${btoa("k".repeat(32))},two:${btoa("l".repeat(32))}`;
const DIGEST = "ab".repeat(32);
const CONTRACT = "cd".repeat(32);
const MODEL = "moji-vlm-9m";
const MAX_IN_FLIGHT = 6;

let origin: OriginContext;
let engine: EngineHost;
let server: ServerType;
let base: string;
let client: OriginClient;

beforeAll(async () => {
  const settings = readSettings({ FOVEA_STAGE: "local", FOVEA_ORIGIN_KEYS: KEYS, FOVEA_STORE: "file:unused" });
  engine = await EngineHost.start({ backbone: builtinSource(), settings: SETTINGS, tokenizer: null });
  const release = { name: MODEL, version: "1.0.0", contractId: CONTRACT };
  const local = { release, digest: DIGEST, directory: "", path: (name: string) => name } as LocalRelease;
  const named = (_model: string, digest: string): Promise<LocalRelease> =>
    digest === DIGEST ? Promise.resolve(local) : Promise.reject(new Error("unknown release"));
  const serving = new Serving({ stable: () => Promise.resolve(local), named }, settings, () => Promise.resolve(engine));
  await serving.warm();
  origin = {
    settings,
    keys: await importSigningKeys(KEYS),
    nonces: new NonceCache(),
    admission: new Admission({ maxInFlight: MAX_IN_FLIGHT, maxPerKey: 5, concurrency: 4 }),
    features: new FeatureCache(1024 * 1024),
    encoders: new Encoders({ provider: "cpu", threads: 1 }),
    serving,
    exporter: null,
  };
  server = await new Promise<ServerType>((resolve) => {
    const started = serve(
      { fetch: createApp(origin).fetch, hostname: "127.0.0.1", port: 0 },
      ({ port }: AddressInfo) => {
        base = `http://127.0.0.1:${port}`;
        resolve(started);
      },
    );
  });
  client = await OriginClient.of(base, KEYS, { model: MODEL, release: DIGEST, contract: CONTRACT });
});
afterAll(async () => {
  server.close();
  await engine.close();
});

const frame: OriginClient["frame"] = (...args) => client.frame(...args);
const post: OriginClient["post"] = (...args) => client.post(...args);

async function refusal(answer: Response): Promise<[number, unknown]> {
  const { error } = (await answer.json()) as { error: { code: unknown } };
  return [answer.status, error.code];
}

describe("POST /v1/generate", () => {
  it("streams ids and ends with usage and timing, for either key", async () => {
    for (const key of [0, 1]) {
      const answer = await post(frame(), { key });
      const all = await events(answer);
      expect(answer.headers.get("content-type")).toContain("text/event-stream");
      expect(all.flatMap((event) => ("ids" in event ? event.ids : []))).toHaveLength(8);
      expect(all.at(-1)).toMatchObject({
        finish_reason: "length",
        usage: { prompt_tokens: 4, completion_tokens: 8 },
        timing: { steps: 7 },
      });
    }
  });

  it("takes features once and by hash from then on, apart by salt", async () => {
    const { request, answer: expected } = exampleRequest(2);
    const [feature] = request.features;
    if (feature === undefined) throw new Error("the example has a picture");
    const { hash, offset, length, rows } = feature;
    const entry = { modality: "image", hash, offset, length } as const;
    const meta = { features: [entry], sampling: { max_tokens: 32, temperature: 0 } };
    const missing = await post(frame(meta, [...request.tokenIds]));
    expect(missing.status).toBe(409);
    expect(await missing.json()).toMatchObject({ error: { code: "features_missing" }, missing: [hash] });
    const tensors = { "features.0": tensorOf("F16", [length, rows.length / length], encodeF16(rows)) };
    const full = frame({ ...meta, features: [{ ...entry, tensor: "features.0" }] }, request.tokenIds, tensors);
    const ids = async (answer: Response): Promise<number[]> =>
      (await events(answer)).flatMap((event) => ("ids" in event ? event.ids : []));
    expect(await ids(await post(full))).toEqual(expected);
    expect(await ids(await post(frame(meta, [...request.tokenIds])))).toEqual(expected);
    expect((await post(frame({ ...meta, cache_salt: "other" }, [...request.tokenIds]))).status).toBe(409);
  });

  it.each<[string, () => Promise<Response>, number, string]>([
    ["a wrong contract", () => post(frame({ contract: DIGEST })), 409, "contract_mismatch"],
    ["ids beyond the vocabulary", () => post(frame({}, [1, 2_000_000])), 400, "invalid_frame"],
    ["a prompt without ids", () => post(frame({}, [])), 400, "invalid_frame"],
    ["more than the context", () => post(frame({}, Array<number>(1024).fill(5))), 400, "context_length_exceeded"],
    ["features over text", () => post(frame({ features: [picture(0)] })), 409, "features_missing"],
    ["a JSON schema", () => post(frame({ sampling: { max_tokens: 4, json_schema: "{}" } })), 400, "invalid_request"],
    ["a grammar", () => post(frame({ sampling: { max_tokens: 4, structural_tag: "{}" } })), 400, "invalid_request"],
    [
      "two grammars",
      () => post(frame({ sampling: { max_tokens: 4, json_schema: "{}", structural_tag: "{}" } })),
      400,
      "invalid_frame",
    ],
    ["a frame cut short", () => post(frame().slice(0, 60)), 400, "invalid_frame"],
    ["no frame at all", () => post(new TextEncoder().encode("hello")), 400, "invalid_frame"],
    ["no signature", () => fetch(`${base}/v1/generate`, unsigned()), 401, "invalid_signature"],
    ["another type", () => fetch(`${base}/v1/generate`, { method: "POST", body: "x" }), 415, "unsupported_media_type"],
    ["another method", () => fetch(`${base}/v1/generate`), 405, "method_not_allowed"],
    ["another path", () => fetch(`${base}/v1/other`), 404, "not_found"],
  ])("refuses %s, and answers the next request", async (_name, ask, status, code) => {
    expect(await refusal(await ask())).toEqual([status, code]);
    expect((await events(await post(frame()))).at(-1)).toMatchObject({ finish_reason: "length" });
    expect(origin.admission.inFlight).toBe(0);
  });

  it("refuses a replayed request, and a body that is not the signed one", async () => {
    const body = frame();
    const { url } = client;
    const headers = await client.headers(body);
    await events(await fetch(url, { method: "POST", headers, body }));
    expect((await fetch(url, { method: "POST", headers, body })).status).toBe(401);
    const fresh = await client.headers(body);
    const other = frame({}, [1, 2, 3, 4]);
    expect((await fetch(url, { method: "POST", headers: fresh, body: other })).status).toBe(401);
  });

  it("refuses before it reads the body when it is full, with 429 for a key and 503 for all", async () => {
    const long = frame({ sampling: { max_tokens: 900, temperature: 0, ignore_eos: true } });
    const controllers = Array.from({ length: MAX_IN_FLIGHT }, () => new AbortController());
    const running = await Promise.all(controllers.map(({ signal }, i) => post(long, { key: i < 5 ? 0 : 1, signal })));
    expect(running.map(({ status }) => status)).toEqual(Array<number>(MAX_IN_FLIGHT).fill(200));
    const started = performance.now();
    const full = await headersOnly(1);
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(full.status).toBe(503);
    expect(Number(full.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(Number(full.headers["retry-after-ms"])).toBeGreaterThanOrEqual(250);
    controllers[5]?.abort();
    await expect.poll(() => origin.admission.inFlight).toBe(5);
    expect((await headersOnly(0)).status).toBe(429);
    for (const controller of controllers) controller.abort();
    await expect.poll(() => origin.admission.inFlight).toBe(0);
    await expect.poll(async () => (await engine.report())?.blocks.reserved, { timeout: 5_000 }).toBe(0);
    expect(engine.active).toBe(0);
  });
});

describe("the public routes", () => {
  it("answer while a prompt is computed, and say what is served", async () => {
    const slow = post(frame({}, Array<number>(1000).fill(7)));
    const times: number[] = [];
    for (let i = 0; i < 20; i++) {
      const started = performance.now();
      expect((await fetch(`${base}/livez`)).status).toBe(200);
      times.push(performance.now() - started);
    }
    await events(await slow);
    // A thread that computed the prompt itself would keep every one of them waiting.
    expect(times.toSorted((a, b) => a - b)[10]).toBeLessThan(100);
    expect(await (await fetch(`${base}/readyz`)).json()).toMatchObject({
      status: "ready",
      releases: [{ release: `${MODEL}@1.0.0`, provider: "cpu" }],
    });
    const metrics = await (await fetch(`${base}/metrics`)).text();
    for (const name of ["fovea_queue_length", "fovea_kv_blocks", "fovea_time_to_first_token_seconds_bucket"]) {
      expect(metrics).toContain(name);
    }
    expect(metrics).not.toMatch(/NaN|undefined/);
  });
});

function picture(offset: number) {
  return { modality: "image", hash: "ef".repeat(32), offset, length: 2 } as const;
}

function unsigned(): RequestInit {
  return { method: "POST", headers: { "content-type": FRAME_CONTENT_TYPE }, body: "x" };
}

/** Sends the headers of a large frame and none of its body: an answer means that the body was not waited for. */
async function headersOnly(
  keyIndex: number,
): Promise<{ status: number | undefined; headers: NodeJS.Dict<string | string[]> }> {
  const { url } = client;
  const body = new Uint8Array(1_000_000);
  const signed = await client.headers(body, keyIndex);
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, {
      method: "POST",
      headers: { ...Object.fromEntries(signed), "content-length": body.length },
    });
    sent.on("response", (response) => {
      resolve({ status: response.statusCode, headers: response.headers });
      sent.destroy();
    });
    sent.on("error", reject);
    sent.flushHeaders();
  });
}
