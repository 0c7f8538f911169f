import { describe, expect, it } from "vitest";
import { mirrorSource, readMirror } from "./mirror-source.ts";

const URL = "https://mirror.example/models";
const CREDENTIALS = { accessKeyId: "id", secretAccessKey: "secret" };

/** A mirror that answers with one status, and the requests that reached it. */
function answering(status: number, credentials: typeof CREDENTIALS | null = null) {
  const requests: Request[] = [];
  const source = mirrorSource({ baseUrl: `${URL}/`, credentials }, (request) => {
    requests.push(request);
    return Promise.resolve(new Response("bytes", { status, headers: { location: "https://evil.example/" } }));
  });
  return { requests, get: async () => source.get("blobs/x") };
}

describe("mirrorSource", () => {
  it("gives a body, null for what is not there, and an error for all else, redirects included", async () => {
    const good = answering(200);
    expect(await new Response((await good.get()) as ReadableStream).text()).toBe("bytes");
    expect(good.requests.map(({ url, redirect }) => [url, redirect])).toEqual([[`${URL}/blobs/x`, "manual"]]);
    expect(await answering(404).get()).toBeNull();
    for (const status of [206, 301, 302, 307, 429, 500, 503]) {
      await expect(answering(status).get()).rejects.toThrow(String(status));
    }
  });

  it("signs nothing for a public mirror, and every request for a private one", async () => {
    const open = answering(200);
    await open.get();
    expect(open.requests[0]?.headers.has("authorization")).toBe(false);
    const closed = answering(200, CREDENTIALS);
    await closed.get();
    const [request] = closed.requests;
    expect(request?.headers.get("authorization")).toMatch(
      /^AWS4-HMAC-SHA256 Credential=id\/\d{8}\/us-east-1\/s3\/aws4_request, SignedHeaders=host;x-amz-[a-z0-9;-]+, Signature=[0-9a-f]{64}$/,
    );
    expect(request?.redirect).toBe("manual");
  });

  it("takes a 403 for a missing key where nobody may list, and for wrong credentials where there are some", async () => {
    expect(await answering(403).get()).toBeNull();
    for (const status of [401, 403]) {
      await expect(answering(status, CREDENTIALS).get()).rejects.toMatchObject({
        fault: "shard_unreadable",
        detail: expect.stringContaining("MIRROR_CREDENTIALS") as string,
      });
    }
  });
});

describe("readMirror", () => {
  it.each([
    [{}, null],
    [{ MIRROR_URL: "" }, null],
    [{ MIRROR_URL: URL }, { baseUrl: `${URL}/`, credentials: null }],
    [
      { MIRROR_URL: `${URL}/`, MIRROR_CREDENTIALS: "id:secret" },
      { baseUrl: `${URL}/`, credentials: CREDENTIALS },
    ],
    [
      { MIRROR_URL: "http://127.0.0.1:9000/b", MIRROR_CREDENTIALS: "id:secret:nl-ams" },
      { baseUrl: "http://127.0.0.1:9000/b/", credentials: { ...CREDENTIALS, region: "nl-ams" } },
    ],
  ])("reads %j", (env, mirror) => {
    expect(readMirror(env)).toEqual(mirror);
  });

  it.each([
    { MIRROR_URL: "http://mirror.example/" },
    { MIRROR_URL: "http://127.0.0.1.evil.example/" },
    { MIRROR_URL: "mirror" },
    { MIRROR_URL: URL, MIRROR_CREDENTIALS: "id" },
    { MIRROR_URL: URL, MIRROR_CREDENTIALS: "id:" },
    { MIRROR_URL: URL, MIRROR_CREDENTIALS: "id:hush:a:b" },
  ])("refuses %j without saying a secret", (env) => {
    expect(() => readMirror(env)).toThrow(TypeError);
    expect(() => readMirror(env)).not.toThrow("hush");
  });
});
