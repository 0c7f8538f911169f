import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { BUILTIN_MODEL } from "../../infra/local/builtin.ts";
import { startOrigin, type OriginProcess } from "../../infra/local/origin-process.ts";
import { freePort } from "../../infra/local/ports.ts";
import { LOCAL_CHANNEL } from "../../infra/local/publish-builtin.ts";
import { originEnvironment, startStack, type Stack } from "../../infra/local/stack.ts";
import { promoteRelease, readChannel, rollbackRelease } from "../../infra/releases/promote-release.ts";
import { publishRelease } from "../../infra/releases/publish-release.ts";
import type { ObjectStore } from "../../infra/store/object-store.ts";
import { s3Store } from "../../infra/store/s3-store.ts";
import { callerHash, pickRelease } from "../../shared/releases/pick.ts";
import { exampleDataUri, examples } from "../examples.ts";
import { startBalancer, type Balancer } from "./balancer.ts";
import { writeVariant } from "./rollout-models.ts";

const completion = z.object({ choices: z.array(z.object({ message: z.object({ content: z.string() }) })).length(1) });
const NEXT = `${BUILTIN_MODEL}@2.0.0`;
const CALLERS = 4;
/** The changed releases talk nonsense at length. */
const MAX_TOKENS = 16;
/** A channel that goes on naming the first release alone, while the stack's channel moves. */
const PINNED_CHANNEL = "pinned";
const unsigned = { key: null, trust: "unsigned" } as const;

/** Every pairing of the features and the backbone of two releases: the releases themselves, and what must never happen. */
const PAIRINGS = {
  first: { encoder: false, backbone: false },
  second: { encoder: true, backbone: true },
  "features-of-second": { encoder: true, backbone: false },
  "features-of-first": { encoder: false, backbone: true },
} as const;

/** Who a request says it is for. */
interface Caller {
  readonly user?: string;
  readonly safety_identifier?: string;
}

interface Asked {
  readonly image: string;
  readonly question: string;
}

const stops: (() => Promise<void>)[] = [];
let folder: string;
let stack: Stack;
let store: ObjectStore;
let balancer: Balancer;
let second: OriginProcess;
let mainPort: number;
let asked: readonly Asked[];
/** `x-fovea-release` -> the answers that this release gives alone, in the order of `asked`. */
const alone = new Map<string, readonly string[]>();

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "fovea-rollout-"));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  mainPort = await freePort(0, "--origin-port");
  const originEnv = { FOVEA_PORT: String(mainPort) };
  stack = await startStack({
    port: 0,
    originPort: 0,
    directory: path.join(folder, "stack"),
    apiKey: "test-key",
    originEnv,
  });
  stops.push(() => stack.stop());
  balancer = await startBalancer(Number(new URL(stack.originUrl).port));
  stops.push(() => balancer.close());
  await balancer.use([mainPort]);
  store = s3Store(stack.s3.bucket, stack.s3);
  const all = await examples();
  asked = await Promise.all(
    all
      .filter((_, at) => [0, 2, 3, 8, 12, 15].includes(at))
      .map(async ({ image, question }) => ({ image: await exampleDataUri(image), question })),
  );
  const first = (await readChannel(store, BUILTIN_MODEL, LOCAL_CHANNEL, "unsigned"))?.stable.version ?? "";
  const answers: (readonly string[])[] = [];
  for (const [model, changed] of Object.entries(PAIRINGS)) {
    await writeVariant(path.join(folder, model), changed);
    await publishRelease(path.join(folder, model), { model, version: "1.0.0", store });
    await promoteRelease({ ...unsigned, store, model, version: "1.0.0", channel: LOCAL_CHANNEL });
    answers.push(await Promise.all(asked.map(async (one) => (await ask(model, one, {})).answer)));
  }
  alone.set(`${BUILTIN_MODEL}@${first}`, answers[0] ?? []).set(NEXT, answers[1] ?? []);
  // Unless all pairings differ on every question, a mixed answer could pass for a right one.
  for (const at of asked.keys()) expect(new Set(answers.map((each) => each[at])).size).toBe(4);
  await publishRelease(path.join(folder, "second"), { model: BUILTIN_MODEL, version: "2.0.0", store });
  await promoteRelease({ ...unsigned, store, model: BUILTIN_MODEL, version: first, channel: PINNED_CHANNEL });
  second = await startSecond(PINNED_CHANNEL);
  stops.push(() => second.stop());
});

afterAll(async () => {
  for (const stop of stops.toReversed()) await stop();
});

async function startSecond(channel: string): Promise<OriginProcess> {
  const cacheDir = path.join(folder, "second-origin");
  return startOrigin({ ...originEnvironment(stack, 0, cacheDir), FOVEA_CHANNEL: channel });
}

async function ask(
  model: string,
  { image, question }: Asked,
  caller: Caller,
): Promise<{ release: string; answer: string }> {
  const content = [
    { type: "image_url", image_url: { url: image } },
    { type: "text", text: question },
  ];
  const response = await fetch(`${stack.edgeUrl}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${stack.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ model, ...caller, max_tokens: MAX_TOKENS, messages: [{ role: "user", content }] }),
  });
  const body = await response.text();
  if (!response.ok) throw new Error(`${response.status}: ${body.slice(0, 300)}`);
  const answer = completion.parse(JSON.parse(body)).choices[0]?.message.content ?? "";
  return { release: response.headers.get("x-fovea-release") ?? "", answer };
}

/**
 * Load from four callers without a pause, until `done` says so of the releases of the last answers. Each answer must be
 * the one that the release in its header gives alone; anything else, and any failure, ends the test.
 */
async function underLoad(done: (recent: readonly string[]) => boolean): Promise<number> {
  const deadline = Date.now() + 100_000;
  const recent: string[] = [];
  let answers = 0;
  await Promise.all(
    Array.from({ length: CALLERS }, async (_, caller) => {
      while (!done(recent)) {
        if (Date.now() > deadline) throw new Error(`not there yet: ${recent.join(" ")}`);
        const at = answers % asked.length;
        const one = asked[at];
        if (one === undefined) throw new Error("something is asked");
        answers += 1;
        const { release, answer } = await ask(BUILTIN_MODEL, one, { user: `user-${caller}-${answers % 9}` });
        expect({ release, answer }).toEqual({ release, answer: alone.get(release)?.[at] });
        recent.push(release);
        if (recent.length > 24) recent.shift();
      }
    }),
  );
  return answers;
}

/** Half of the callers are on the canary, each always: by API key and `safety_identifier`, else `user`. */
async function expectSticky(): Promise<void> {
  const document = await readChannel(store, BUILTIN_MODEL, LOCAL_CHANNEL, "unsigned");
  const [one] = asked;
  if (document === null || one === undefined) throw new Error("a canary is asked");
  const seen = new Set<string>();
  for (let i = 0; i < 8; i += 1) {
    const hash = await callerHash(BUILTIN_MODEL, stack.apiKey, `person-${i}`);
    const expected = `${BUILTIN_MODEL}@${pickRelease(document, hash).version}`;
    const callers = [{ user: `person-${i}` }, { safety_identifier: `person-${i}`, user: `app-${i}` }];
    for (const caller of callers) expect((await ask(BUILTIN_MODEL, one, caller)).release).toBe(expected);
    seen.add(expected);
  }
  expect(seen.size).toBe(2);
}

const channel = { ...unsigned, model: BUILTIN_MODEL, channel: LOCAL_CHANNEL } as const;
const settled = (wanted: boolean) => (recent: readonly string[]) =>
  recent.length === 24 && recent.every((release) => (release === NEXT) === wanted);

describe("a rollout under load, through workerd and two origins", () => {
  it(
    "canary, promote, an origin's restart, rollback: every answer is whole and of the release that it names",
    { timeout: 400_000 },
    async () => {
      let answers = await underLoad(settled(false));

      await promoteRelease({ ...channel, store, version: "2.0.0", canary: 50 });
      answers += await underLoad((recent) => new Set(recent).size === 2);
      await expectSticky();

      await balancer.use([mainPort, second.port]);
      answers += await underLoad((recent) => new Set(recent).size === 2 && balancer.refusals("contract_mismatch") > 3);

      await promoteRelease({ ...channel, store, version: "2.0.0" });
      const restarted = async (): Promise<void> => {
        await balancer.use([mainPort]);
        await second.stop();
        second = await startSecond(LOCAL_CHANNEL);
        await balancer.use([mainPort, second.port]);
      };
      const [served] = await Promise.all([underLoad(settled(true)), restarted()]);
      answers += served;
      answers += await underLoad(settled(true));

      await rollbackRelease({ ...channel, store });
      answers += await underLoad(settled(false));
      console.log(
        `${answers} answers, none failed, none mixed; ${balancer.refusals("contract_mismatch")} refused once`,
      );
      expect(answers).toBeGreaterThan(120);
    },
  );
});
