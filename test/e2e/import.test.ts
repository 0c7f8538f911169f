import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeHub, filesOf } from "../../infra/hub/fake-hub.testing.ts";
import { BUILTIN_DIR } from "../../infra/local/builtin.ts";
import { startStack, type Stack } from "../../infra/local/stack.ts";
import { ROOT } from "../../infra/paths.ts";
import { exampleDataUri } from "../examples.ts";

const WEIGHTS = "onnx/decoder_model_merged_fp16.onnx";

const CARD = Buffer.from("---\nlicense: apache-2.0\n---\n# Moji");

let folder: string;
let hub: FakeHub;
let stack: Stack;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "fovea-import-"));
  stack = await startStack({ port: 0, originPort: 0, directory: path.join(folder, "stack"), apiKey: "test-key" });
  hub = await FakeHub.start({
    repository: "acme/Moji-Hub",
    files: { ...(await filesOf(BUILTIN_DIR)), "README.md": CARD },
  });
});

afterAll(async () => {
  await hub.stop();
  await stack.stop();
  await rm(folder, { recursive: true, force: true });
});

/** `fovea import acme/Moji-Hub` as users call it; `until` may end it early by a signal. */
async function fovea(
  signal?: NodeJS.Signals,
  until?: () => Promise<boolean>,
): Promise<{ code: number | null; out: string }> {
  const { endpoint, bucket, accessKeyId, secretAccessKey } = stack.s3;
  const store = ["--store", `s3://${bucket}`, "--endpoint", endpoint, "--unsigned", "--json"];
  const child = spawn(process.execPath, [path.join(ROOT, "infra/cli.ts"), "import", "acme/Moji-Hub", ...store], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      HF_ENDPOINT: hub.endpoint.href,
      HF_HOME: path.join(folder, "huggingface"),
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    },
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  const exit = once(child, "exit") as Promise<[number | null]>;
  if (until !== undefined) {
    while (child.exitCode === null && !(await until())) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill(signal);
  }
  return { code: (await exit)[0], out };
}

/** Bytes of the weights that have arrived. */
async function arrived(): Promise<number> {
  const blob = path.join(folder, "huggingface/hub/models--acme--Moji-Hub/blobs", `${hub.oidOf(WEIGHTS)}.incomplete`);
  return (await stat(blob).catch(() => ({ size: 0 }))).size;
}

describe("fovea import org/name", () => {
  it("survives Ctrl-C and a kill, then serves what it downloaded", { timeout: 240_000 }, async () => {
    hub.fault(WEIGHTS, "slow", "slow");
    const half = (hub.files[WEIGHTS]?.length ?? 0) >> 1;
    const interrupted = await fovea("SIGINT", async () => (await arrived()) >= half);
    expect(interrupted.code).toBe(130);
    expect(interrupted.out).toContain("go on where it stopped");
    const before = await arrived();
    await fovea("SIGKILL", async () => (await arrived()) > before);
    const { code, out } = await fovea();
    expect(JSON.parse(out)).toMatchObject({
      from: `acme/Moji-Hub at ${hub.commit}`,
      license: "Apache-2.0",
      figures: { vision_encoder: { memoryBytes: expect.any(Number) as number } },
      picture: { imageTokens: 16, pixelBytes: 150_528, fileBytes: 25_534, where: "edge" },
    });
    expect(code).toBe(0);
    const [first, second = 0, third = 0] = hub.startsOf(WEIGHTS);
    expect(first).toBe(0);
    expect(second).toBeGreaterThanOrEqual(half);
    expect(third).toBeGreaterThan(second);

    const headers = { authorization: "Bearer test-key", "content-type": "application/json" };
    const models = (await (await fetch(`${stack.edgeUrl}/v1/models`, { headers })).json()) as {
      data: { id: string }[];
    };
    expect(models.data.map(({ id }) => id)).toEqual(["Moji-Hub", "moji-vlm-9m"]);
    const url = await exampleDataUri("02_what.jpg");
    const content = [
      { type: "image_url", image_url: { url } },
      { type: "text", text: "What is this?" },
    ];
    const body = JSON.stringify({ model: "Moji-Hub", messages: [{ role: "user", content }] });
    const answer = await fetch(`${stack.edgeUrl}/v1/chat/completions`, { method: "POST", headers, body });
    expect(await answer.json()).toMatchObject({ choices: [{ message: { content: "A bee." } }] });
  });
});
