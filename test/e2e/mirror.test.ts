import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUILTIN_MODEL } from "../../infra/local/builtin.ts";
import { publishBuiltin } from "../../infra/local/publish-builtin.ts";
import { startStack } from "../../infra/local/stack.ts";
import { s3Store } from "../../infra/store/s3-store.ts";
import { exampleDataUri, examples } from "../examples.ts";
import { startMiniflareS3, type S3Server } from "../releases/s3-servers.ts";

let folder: string;
let mirror: S3Server;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "fovea-mirror-"));
  mirror = await startMiniflareS3();
  const store = s3Store(mirror.bucket, mirror.options);
  await publishBuiltin(store);
  store.close();
});

afterAll(async () => {
  await mirror.close();
  await rm(folder, { recursive: true, force: true });
});

/** The first example, asked of a stack whose own bucket is empty: edge and encoder have the mirror alone. */
async function answerWith(secretAccessKey: string): Promise<{ status: number; expected: string; body: string }> {
  const { endpoint, accessKeyId } = mirror.options;
  const stack = await startStack({
    port: 0,
    originPort: 0,
    directory: path.join(folder, secretAccessKey),
    apiKey: "test-key",
    builtin: false,
    bindings: {
      MIRROR_URL: `${endpoint}/${mirror.bucket}`,
      MIRROR_CREDENTIALS: `${accessKeyId}:${secretAccessKey}`,
    },
    // The origin has a store of its own; it is the edge's sources that are asked here.
    originEnv: {
      FOVEA_STORE: `s3://${mirror.bucket}`,
      FOVEA_S3_ENDPOINT: endpoint,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: mirror.options.secretAccessKey,
    },
  });
  try {
    const [example] = await examples();
    if (example === undefined) throw new Error("the built-in model has its examples");
    const content = [
      { type: "image_url", image_url: { url: await exampleDataUri(example.image) } },
      { type: "text", text: example.question },
    ];
    const response = await fetch(`${stack.edgeUrl}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${stack.apiKey}`, "content-type": "application/json" },
      body: JSON.stringify({ model: BUILTIN_MODEL, messages: [{ role: "user", content }] }),
    });
    return { status: response.status, expected: example.answer, body: await response.text() };
  } finally {
    await stack.stop();
  }
}

describe("a private S3 bucket as the mirror of Workers whose bucket is empty", () => {
  it("serves edge and encoder in workerd: the recorded answer", async () => {
    const { status, expected, body } = await answerWith(mirror.options.secretAccessKey);
    expect([status, body]).toEqual([200, expect.stringContaining(expected)]);
  });

  it("serves nothing with a wrong key, and the answer says nothing of it", async () => {
    const { status, body } = await answerWith("not-the-secret");
    expect([status, body]).toEqual([503, expect.stringContaining("release_unavailable")]);
    expect(body).not.toMatch(/mirror|127\.0\.0\.1|not-the-secret/i);
  });
});
