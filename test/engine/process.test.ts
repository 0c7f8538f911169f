import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { BUILTIN_MODEL } from "../../infra/local/builtin.ts";
import { LOCAL_CHANNEL, publishBuiltin } from "../../infra/local/publish-builtin.ts";
import { ROOT } from "../../infra/paths.ts";
import { readRelease } from "../../infra/releases/read-release.ts";
import { fileStore } from "../../infra/store/file-store.ts";
import type { AnswerEvent } from "../../shared/frame/answer.ts";
import { events, OriginClient } from "./origin-client.ts";

const KEYS = `one:${btoa("k".repeat(32))}`;
const STREAMS = 8;
/** Tokens that take longer than all that a test does while they are written. */
const MANY = 250;
const ENDLESS = 900;

let directory: string;
let named: Parameters<typeof OriginClient.of>[2];
let child: ChildProcess | null = null;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "fovea-process-"));
  const store = fileStore(path.join(directory, "store"));
  const version = await publishBuiltin(store);
  const { release, digest } = await readRelease(store, BUILTIN_MODEL, version);
  named = { model: BUILTIN_MODEL, release: digest, contract: release.contractId };
});
afterEach(() => child?.kill("SIGKILL"));
afterAll(() => rm(directory, { recursive: true }));

interface Origin {
  readonly base: string;
  readonly client: OriginClient;
  /** The exit code. */
  readonly ended: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

/** A real origin, as in production, whose engine SIGUSR2 breaks. */
async function start(env: Readonly<Record<string, string>> = {}): Promise<Origin> {
  const breaker = new URL("./break-engine.ts", import.meta.url).href;
  const started = spawn(process.execPath, ["--import", breaker, path.join(ROOT, "functions/origin/main.ts")], {
    env: {
      ...process.env,
      FOVEA_STAGE: "local",
      FOVEA_CHANNEL: LOCAL_CHANNEL,
      FOVEA_HOST: "127.0.0.1",
      FOVEA_PORT: "0",
      FOVEA_ORIGIN_KEYS: KEYS,
      FOVEA_STORE: `file:${path.join(directory, "store")}`,
      FOVEA_CACHE_DIR: path.join(directory, "cache"),
      FOVEA_THREADS: "1",
      ...env,
    },
    stdio: ["ignore", "pipe", "ignore"],
  });
  child = started;
  const ended = once(started, "exit").then(([code]) => code as number | null);
  const port = await new Promise<string>((resolve, reject) => {
    createInterface({ input: started.stdout }).on("line", (line) => {
      const found = /"event":"listening".*"port":(\d+)/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
    void ended.then((code) => reject(new Error(`the origin ended with ${code}`)));
  });
  const base = `http://127.0.0.1:${port}`;
  return { base, client: await OriginClient.of(base, KEYS, named), ended, kill: (signal) => started.kill(signal) };
}

/** Starts answers; settles when all of them have begun. */
async function streams({ client }: Origin, max_tokens: number): Promise<Promise<AnswerEvent[]>[]> {
  const answers = await Promise.all(
    Array.from({ length: STREAMS }, (_, i) =>
      client.post(client.frame({ sampling: { max_tokens, temperature: 0, ignore_eos: true } }, [1, 50 + i, 60, 70])),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array<number>(STREAMS).fill(200));
  return answers.map(events);
}

async function readiness({ base }: Origin): Promise<unknown> {
  const response = await fetch(`${base}/readyz`);
  const { status } = (await response.json()) as { status: unknown };
  return [response.status, status];
}

const idsOf = (all: readonly AnswerEvent[]): number[] => all.flatMap((event) => ("ids" in event ? event.ids : []));

describe("an origin process", () => {
  it("finishes its streams after SIGTERM, refuses new ones, and ends with 0", async () => {
    const origin = await start({ FOVEA_DRAIN_SECONDS: "50" });
    const running = await streams(origin, MANY);
    origin.kill("SIGTERM");
    await expect.poll(() => readiness(origin)).toEqual([503, "draining"]);
    const refused = await origin.client.post(origin.client.frame());
    expect([refused.status, await refused.json()]).toMatchObject([503, { error: { code: "overloaded" } }]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    for (const answer of await Promise.all(running)) {
      expect(idsOf(answer)).toHaveLength(MANY);
      expect(answer.at(-1)).toMatchObject({ finish_reason: "length", usage: { completion_tokens: MANY } });
    }
    expect(await origin.ended).toBe(0);
  });

  it("ends with 0 after its time to drain; what still runs hears of it", async () => {
    const origin = await start({ FOVEA_DRAIN_SECONDS: "1", FOVEA_MAX_SEQUENCES: "1" });
    const running = await streams(origin, ENDLESS);
    origin.kill("SIGTERM");
    const answers = await Promise.all(running);
    expect(answers.at(-1)?.at(-1)).toEqual({ error: { code: "origin_failed", message: expect.any(String) as string } });
    expect(await origin.ended).toBe(0);
  });

  it("tells its streams when the engine's thread dies, says so, and starts it again", async () => {
    const origin = await start();
    expect(await readiness(origin)).toEqual([200, "ready"]);
    const running = await streams(origin, ENDLESS);
    origin.kill("SIGUSR2");
    for (const answer of await Promise.all(running)) {
      expect(answer.at(-1)).toEqual({ error: { code: "origin_failed", message: expect.any(String) as string } });
      expect(idsOf(answer).length).toBeLessThan(ENDLESS);
    }
    expect(await readiness(origin)).toEqual([503, "loading"]);
    await expect.poll(() => readiness(origin), { timeout: 30_000 }).toEqual([200, "ready"]);
    expect(idsOf(await events(await origin.client.post(origin.client.frame())))).toHaveLength(8);
    origin.kill("SIGTERM");
    expect(await origin.ended).toBe(0);
  });
});
