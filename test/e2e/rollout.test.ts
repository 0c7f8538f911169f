import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { BUILTIN_DIR, BUILTIN_MODEL } from "../../infra/local/builtin.ts";
import { LOCAL_CHANNEL } from "../../infra/local/publish-builtin.ts";
import { startStack, type Stack } from "../../infra/local/stack.ts";
import { promoteRelease, rollbackRelease } from "../../infra/releases/promote-release.ts";
import { publishRelease } from "../../infra/releases/publish-release.ts";
import type { ObjectStore } from "../../infra/store/object-store.ts";
import { s3Store } from "../../infra/store/s3-store.ts";
import { exampleDataUri, examples, type Example } from "../examples.ts";

const completion = z.object({ choices: z.array(z.object({ message: z.object({ content: z.string() }) })).length(1) });
const NEXT = `${BUILTIN_MODEL}@2.0.0`;
const CALLERS = 4;

let folder: string;
let stack: Stack;
let store: ObjectStore;
let asked: readonly { readonly example: Example; readonly image: string }[];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "fovea-rollout-"));
  const directory = path.join(folder, "stack");
  stack = await startStack({ port: 0, originPort: 0, directory, apiKey: "test-key" });
  store = s3Store(stack.s3.bucket, stack.s3);
  // The same weights under another contract: answers stay as recorded, frames of one release do not pass at the other.
  const next = path.join(folder, "next");
  await cp(BUILTIN_DIR, next, { recursive: true, filter: (file) => !file.includes("examples") });
  await writeFile(
    path.join(next, "generation_config.json"),
    JSON.stringify({ eos_token_id: 2, bos_token_id: 1, pad_token_id: 0 }),
  );
  await publishRelease(next, { model: BUILTIN_MODEL, version: "2.0.0", store });
  const all = await examples();
  asked = await Promise.all(
    [2, 8, 15].map(async (at) => {
      const example = all[at];
      if (example === undefined) throw new Error("the built-in model has its examples");
      return { example, image: await exampleDataUri(example.image) };
    }),
  );
});

afterAll(async () => {
  store.close();
  await stack.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Asks as one client does and gives the release that the answer names. Anything but the recorded answer is an error. */
async function ask(user: string, round: number): Promise<string> {
  const { example, image } = asked[round % asked.length] ?? { example: null, image: "" };
  const response = await fetch(`${stack.edgeUrl}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${stack.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({
      model: BUILTIN_MODEL,
      user,
      messages: [
        {
          role: "user",
          content: [
            { type: "image_url", image_url: { url: image } },
            { type: "text", text: example?.question },
          ],
        },
      ],
    }),
  });
  const body = await response.text();
  if (!response.ok) throw new Error(`${response.status}: ${body.slice(0, 300)}`);
  expect(completion.parse(JSON.parse(body)).choices[0]?.message.content).toBe(example?.answer);
  return response.headers.get("x-fovea-release") ?? "";
}

/** Load from four callers without a pause, until `done` says so of the releases of the last answers. */
async function underLoad(done: (recent: readonly string[]) => boolean): Promise<number> {
  const deadline = Date.now() + 100_000;
  const recent: string[] = [];
  let answers = 0;
  await Promise.all(
    Array.from({ length: CALLERS }, async (_, caller) => {
      while (!done(recent)) {
        if (Date.now() > deadline) throw new Error(`not there yet: ${recent.join(" ")}`);
        recent.push(await ask(`user-${caller}-${answers % 9}`, answers));
        answers += 1;
        if (recent.length > 24) recent.shift();
      }
    }),
  );
  return answers;
}

const local = { model: BUILTIN_MODEL, channel: LOCAL_CHANNEL, key: null, trust: "unsigned" } as const;
const settled = (wanted: boolean) => (recent: readonly string[]) =>
  recent.length === 24 && recent.every((release) => (release === NEXT) === wanted);

describe("a rollout under load, through workerd and the origin", () => {
  it(
    "canary, promote, rollback: every request is answered, and answered as recorded",
    { timeout: 400_000 },
    async () => {
      let answers = await underLoad(settled(false));
      await promoteRelease({ ...local, store, version: "2.0.0", canary: 50 });
      answers += await underLoad((recent) => recent.length === 24 && new Set(recent).size === 2);
      await promoteRelease({ ...local, store, version: "2.0.0" });
      answers += await underLoad(settled(true));
      await rollbackRelease({ ...local, store });
      answers += await underLoad(settled(false));
      console.log(`${answers} answers, none failed`);
      expect(answers).toBeGreaterThan(96);
    },
  );
});
