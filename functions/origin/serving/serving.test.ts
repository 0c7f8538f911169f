import { describe, expect, it } from "vitest";
import type { EngineHost } from "../engine/host.ts";
import type { LocalRelease } from "../releases/local-cache.ts";
import { readSettings } from "../settings.ts";
import { Serving } from "./serving.ts";

const settings = readSettings({ FOVEA_ORIGIN_KEYS: "a:b", FOVEA_STORE: "file:x", FOVEA_MODELS: "m" });

function release(digest: string): LocalRelease {
  const manifest = { name: "m", version: digest, contractId: digest };
  return { release: manifest, digest, directory: "", path: (name: string) => name } as unknown as LocalRelease;
}

/** Stands in for an engine thread. */
function engine(active = 0) {
  let stop: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  const host = {
    active,
    failure: null as Error | null,
    stopped,
    spec: { layout: "merged" },
    provider: { provider: "cpu", reason: "as set" },
    close: () => Promise.resolve(stop()),
    die: () => {
      host.failure = new Error("died");
      stop();
    },
  };
  return host;
}

function serving(actives: readonly number[] = [], failing: readonly number[] = []) {
  let starts = 0;
  const engines: ReturnType<typeof engine>[] = [];
  const source = {
    stable: () => Promise.resolve(release("1")),
    named: (_m: string, d: string) => Promise.resolve(release(d)),
  };
  const start = (): Promise<EngineHost> => {
    if (failing.includes(++starts)) return Promise.reject(new Error("no memory"));
    const made = engine(actives[engines.length]);
    engines.push(made);
    return Promise.resolve(made as unknown as EngineHost);
  };
  return { engines, serving: new Serving(source, settings, start, 5) };
}

const digests = (of: Serving): string[] => of.ready.map(({ local }) => local.digest);

describe("Serving", () => {
  it("loads a release once, and lets the oldest idle one go for a third", async () => {
    const { serving: of, engines } = serving();
    await of.warm();
    await Promise.all([of.named("m", "2"), of.named("m", "2")]);
    expect(digests(of)).toEqual(["1", "2"]);
    await of.named("m", "3");
    expect(digests(of)).toEqual(["2", "3"]);
    expect(engines).toHaveLength(3);
  });

  it("keeps a release that answers are running on", async () => {
    const { serving: of } = serving([1, 0, 0]);
    await of.warm();
    (await of.named("m", "2")).release();
    await of.named("m", "3");
    expect(digests(of)).toEqual(["1", "3"]);
  });

  it("keeps a release that a request holds before its answer runs", async () => {
    const { serving: of } = serving();
    await of.warm();
    const held = await of.named("m", "1");
    (await of.named("m", "2")).release();
    (await of.named("m", "3")).release();
    expect(digests(of)).toEqual(["1", "3"]);
    held.release();
    held.release();
    (await of.named("m", "4")).release();
    expect(digests(of)).toEqual(["3", "4"]);
  });

  it("keeps one that is taken while another closes", async () => {
    const { serving: of, engines } = serving([1, 1, 0, 0]);
    await of.warm();
    await of.named("m", "2");
    (await of.named("m", "3")).release();
    expect(digests(of)).toEqual(["1", "2", "3"]);
    const [first, , third] = engines;
    if (first === undefined || third === undefined) throw new Error("three engines");
    first.active = 0;
    const { close } = first;
    let taken: Promise<unknown> | undefined;
    first.close = async () => {
      taken = of.named("m", "3");
      await close();
    };
    (await of.named("m", "4")).release();
    await taken;
    expect(digests(of)).toEqual(["2", "3", "4"]);
  });

  it("starts an engine again that died, and none that was let go", async () => {
    const { serving: of, engines } = serving();
    await of.warm();
    engines[0]?.die();
    await expect.poll(() => engines.length).toBe(2);
    expect(digests(of)).toEqual(["1"]);
    await of.close();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(engines).toHaveLength(2);
  });

  it("tries a start again until it succeeds", async () => {
    const { serving: of, engines } = serving([], [2, 3]);
    await of.warm();
    engines[0]?.die();
    await expect.poll(() => digests(of)).toEqual([]);
    await expect.poll(() => digests(of)).toEqual(["1"]);
    expect(engines).toHaveLength(2);
  });

  it("starts an engine again that a request found dead before its thread had ended", async () => {
    const { serving: of, engines } = serving();
    await of.warm();
    const [first] = engines;
    if (first !== undefined) first.failure = new Error("breaks");
    await expect(of.named("m", "1")).rejects.toMatchObject({ code: "release_unavailable" });
    first?.die();
    await expect.poll(() => digests(of)).toEqual(["1"]);
  });

  it("ends an engine that comes up after the close", async () => {
    const { serving: of, engines } = serving();
    const warm = of.warm();
    await of.close();
    await expect(warm).rejects.toMatchObject({ code: "release_unavailable" });
    expect(digests(of)).toEqual([]);
    await Promise.all(engines.map(({ stopped }) => stopped));
  });

  it("refuses a release under another model's name", async () => {
    const { serving: of } = serving();
    await expect(of.named("other", "1")).rejects.toMatchObject({ code: "contract_mismatch" });
  });
});
