import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { generateKeyPair, importPublicKey } from "../../shared/releases/ecdsa.ts";
import { blobKey, channelKey, manifestKey } from "../../shared/releases/keys.ts";
import { fileStore } from "../store/file-store.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { diffReleases } from "./diff-releases.ts";
import { plannedFromBytes } from "./file-plan.ts";
import { flakyStore } from "./flaky-store.ts";
import { readInventory } from "./inventory.ts";
import { changeOneWeight, tinyGraph, writeTinyFolder } from "./tiny-folder.ts";
import { promoteRelease, rollbackRelease } from "./promote-release.ts";
import { planRelease } from "./plan-release.ts";
import { publishPlanned, publishRelease } from "./publish-release.ts";
import { readRelease } from "./read-release.ts";
import { verifyRelease } from "./verify-release.ts";

const MODEL = "tiny";
let folder: string;
let dir: string;
let store: ObjectStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fovea-publish-"));
  dir = join(folder, "model");
  store = fileStore(join(folder, "store"));
  await writeTinyFolder(dir);
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const text = (value: string) => new TextEncoder().encode(value);

const publish = (version: string, target: ObjectStore = store) =>
  publishRelease(dir, { model: MODEL, version, store: target });
const unsigned = { model: MODEL, channel: "production", key: null, trust: "unsigned" } as const;

describe("publishRelease", () => {
  it("writes shards, then the manifest, and says what it did", async () => {
    const watched = flakyStore(store, () => false);
    const result = await publish("1.0.0", watched);
    expect(result.created).toBe(true);
    expect(watched.puts.at(-1)).toBe(manifestKey(MODEL, "1.0.0"));
    expect(watched.puts.length).toBe(result.uploadedShards + 1);
    expect(Object.keys(result.release.files)).toEqual(
      expect.arrayContaining([
        "tokenizer.bin",
        "onnx/decoder_model_merged.onnx",
        "onnx/decoder_model_merged.onnx_data",
      ]),
    );
    expect(Object.keys(result.release.files)).not.toContain("tokenizer.json");
    expect(result.release.stages.vision_encoder).toMatchObject({ placement: "edge", movable: true, dtype: "fp32" });
    expect(result.release.stages.backbone?.inputs).toEqual([{ name: "x", dtype: "float32", shape: [] }]);
  });

  it("changes nothing the second time", async () => {
    const first = await publish("1.0.0");
    const watched = flakyStore(store, () => false);
    expect(await publish("1.0.0", watched)).toMatchObject({ created: false, uploadedShards: 0, digest: first.digest });
    expect(watched.puts).toEqual([]);
  });

  it("uploads one shard for one changed weight", async () => {
    const first = await publish("1.0.0");
    await changeOneWeight(dir);
    const second = await publish("1.0.1");
    expect(second.uploadedShards).toBe(1);
    const diff = diffReleases(first.release, second.release);
    expect(diff).toMatchObject({
      newShards: 1,
      changed: ["onnx/decoder_model_merged.onnx_data"],
      added: [],
      removed: [],
      stages: ["backbone"],
      featuresChange: false,
      contractChanges: true,
    });
  });

  it("never overwrites a release, nor lets two publishers both win", async () => {
    await publish("1.0.0");
    const before = await store.get(manifestKey(MODEL, "1.0.0"));
    await changeOneWeight(dir);
    await expect(publish("1.0.0")).rejects.toThrow("choose a new version");
    expect(await store.get(manifestKey(MODEL, "1.0.0"))).toEqual(before);
    const raced = {
      ...store,
      get: (key: string) => (key.endsWith("manifest.json") ? Promise.resolve(null) : store.get(key)),
    };
    await expect(publish("1.0.0", raced)).rejects.toThrow("just now");
  });

  it("leaves no release after a crash before the manifest, and goes on from there", async () => {
    let written = 0;
    const crashing = flakyStore(store, (key) => key.startsWith("blobs/") && ++written > 3);
    await expect(publish("1.0.0", crashing)).rejects.toThrow("crashed");
    await expect(readRelease(store, MODEL, "1.0.0")).rejects.toThrow("not published");
    const crashingLater = flakyStore(store, (key) => key.endsWith("manifest.json"));
    await expect(publish("1.0.0", crashingLater)).rejects.toThrow("crashed");
    await expect(readRelease(store, MODEL, "1.0.0")).rejects.toThrow("not published");
    await expect(promoteRelease({ ...unsigned, store, version: "1.0.0" })).rejects.toThrow("not published");
    expect(await publish("1.0.0")).toMatchObject({ created: true, uploadedShards: 0 });
  });

  it("stops at an abort", async () => {
    const controller = new AbortController();
    const stopped = publishRelease(dir, {
      model: MODEL,
      version: "1.0.0",
      store,
      signal: controller.signal,
      onProgress: ({ phase }) => phase === "upload" && controller.abort(new Error("interrupted")),
    });
    await expect(stopped).rejects.toThrow("interrupted");
    expect(await store.get(manifestKey(MODEL, "1.0.0"))).toBeNull();
  });

  it("has 16 uploads in flight, no more, and says how far it has come", async () => {
    const planned = await planRelease(dir);
    const extra = Array.from({ length: 60 }, (_, i) => plannedFromBytes(`extra/${i}.json`, text(`{"extra":${i}}`)));
    let inFlight = 0;
    let peak = 0;
    // None is done before all that may be in flight have begun
    let begin = (): void => undefined;
    const allBegan = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const slow: ObjectStore = {
      ...store,
      async put(key, bytes, condition) {
        inFlight += 1;
        peak = Math.max(peak, inFlight);
        if (inFlight === 16) setTimeout(begin, 50);
        await allBegan;
        inFlight -= 1;
        return store.put(key, bytes, condition);
      },
    };
    const uploads: number[] = [];
    let total = 0;
    const files = [...planned.files, ...extra];
    await publishPlanned(
      { ...planned, files },
      {
        model: MODEL,
        version: "1.0.0",
        store: slow,
        onProgress: ({ phase, doneBytes, totalBytes }) => {
          if (phase === "upload") uploads.push(doneBytes);
          total = totalBytes;
        },
      },
    );
    expect(peak).toBe(16);
    expect(uploads).toEqual(uploads.toSorted((a, b) => a - b));
    expect(uploads.at(-1)).toBe(total);
  });

  it("moves an encoder that no isolate can hold to the origin, or refuses it there, before anything is written", async () => {
    await writeFile(join(dir, "onnx", "vision_encoder.onnx"), tinyGraph(new Uint8Array(40 * 1024 * 1024)));
    const watched = flakyStore(store, () => false);
    const stay = { model: MODEL, version: "1.0.0", store: watched, encoder: "edge" } as const;
    await expect(publishRelease(dir, stay)).rejects.toMatchObject({ fault: "budget_exceeded" });
    expect(watched.puts).toEqual([]);
    const { release } = await publish("1.0.0", watched);
    expect(release.stages.vision_encoder?.placement).toBe("origin");
  });

  it("replaces a shard that was cut short", async () => {
    const { release } = await publish("1.0.0");
    const [shard] = release.files["onnx/decoder_model_merged.onnx_data"]?.shards ?? [];
    const key = blobKey(shard?.sha256 ?? "");
    await store.put(key, new Uint8Array(5));
    await expect(promoteRelease({ ...unsigned, store, version: "1.0.0" })).rejects.toThrow("lacks 1 shards");
    expect(await publish("1.0.0")).toMatchObject({ created: false, uploadedShards: 1 });
    expect((await store.head(key))?.size).toBe(shard?.size);
  });

  it.each([
    ["no config.json", "config.json", null],
    ["no tokenizer", "tokenizer.json", null],
    ["a graph that is HTML", "onnx/vision_encoder.onnx", "<!doctype html>"],
    ["no backbone", "onnx/decoder_model_merged.onnx", null],
  ])("refuses a folder with %s and writes nothing", async (_, name, content) => {
    if (content === null) await rm(join(dir, name));
    else await writeFile(join(dir, name), content);
    const watched = flakyStore(store, () => false);
    await expect(publish("1.0.0", watched)).rejects.toThrow(/./);
    expect(watched.puts).toEqual([]);
  });

  it.each(["../1", "a/b", "", "1..0"])("refuses the version %j", async (version) => {
    await expect(publish(version)).rejects.toThrow(/./);
    await expect(publishRelease(dir, { model: version, version: "1.0.0", store })).rejects.toThrow(/./);
  });
});

describe("promote and rollback", () => {
  it("crash or race without a trace: the channel changes whole or not at all", async () => {
    await publish("1.0.0");
    await promoteRelease({ ...unsigned, store, version: "1.0.0" });
    const before = await store.get(channelKey(MODEL, "production"));
    await changeOneWeight(dir);
    await publish("1.0.1");
    const crashing = flakyStore(store, (key) => key.startsWith("channels/"));
    await expect(promoteRelease({ ...unsigned, store: crashing, version: "1.0.1" })).rejects.toThrow("crashed");
    expect(await store.get(channelKey(MODEL, "production"))).toEqual(before);
    const results = await Promise.allSettled(
      ["1.0.1", "1.0.1", "1.0.1"].map((version) => promoteRelease({ ...unsigned, store, version })),
    );
    const won = results.filter(({ status }) => status === "fulfilled").length;
    const { channels } = await readInventory(store, "unsigned");
    expect(won).toBeGreaterThanOrEqual(1);
    expect(channels[0]).toMatchObject({ sequence: 1 + won, stable: { version: "1.0.1" } });
  });

  it("goes canary, stable, back, each with a higher sequence", async () => {
    await publish("1.0.0");
    await expect(promoteRelease({ ...unsigned, store, version: "1.0.0", canary: 10 })).rejects.toThrow(
      "nothing is stable",
    );
    await promoteRelease({ ...unsigned, store, version: "1.0.0" });
    await changeOneWeight(dir);
    await publish("1.0.1");
    const canary = await promoteRelease({ ...unsigned, store, version: "1.0.1", canary: 10 });
    expect(canary).toMatchObject({ sequence: 2, stable: { version: "1.0.0" }, canary: { percent: 10 } });
    const ended = await rollbackRelease({ ...unsigned, store });
    expect(ended).toMatchObject({
      sequence: 3,
      stable: { version: "1.0.0" },
      canary: null,
      retired: { version: "1.0.1" },
    });
    await promoteRelease({ ...unsigned, store, version: "1.0.1" });
    const back = await rollbackRelease({ ...unsigned, store });
    expect(back).toMatchObject({
      sequence: 5,
      stable: { version: "1.0.0" },
      retired: { version: "1.0.1" },
      history: [],
    });
    await expect(rollbackRelease({ ...unsigned, store })).rejects.toThrow("no earlier release");
  });

  it("names the canary that another release replaces as retired, whose frames are on their way", async () => {
    for (const version of ["1", "2", "3", "4"]) {
      await writeFile(join(dir, "generation_config.json"), JSON.stringify({ version }));
      await publish(version);
    }
    const promote = async (version: string, canary?: number) => {
      const document = await promoteRelease({
        ...unsigned,
        store,
        version,
        ...(canary === undefined ? {} : { canary }),
      });
      return { canary: document.canary?.release.version ?? null, retired: document.retired?.version ?? null };
    };
    await promote("1");
    expect(await promote("2", 10)).toEqual({ canary: "2", retired: null });
    expect(await promote("2", 20)).toEqual({ canary: "2", retired: null });
    expect(await promote("3", 10)).toEqual({ canary: "3", retired: "2" });
    expect(await promote("3")).toEqual({ canary: null, retired: "2" });
    expect(await promote("2", 10)).toEqual({ canary: "2", retired: "2" });
    expect(await promote("4")).toEqual({ canary: null, retired: "2" });
    // 1 and 3 are in the history
    expect(await promote("1", 10)).toEqual({ canary: "1", retired: "2" });
    expect(await promote("2", 10)).toEqual({ canary: "2", retired: "2" });
  });

  it("builds on no forged channel and promotes no unsigned release", async () => {
    const key = await generateKeyPair();
    const trust = [await importPublicKey(key.publicPem)];
    const signed = { ...unsigned, key, trust, store, version: "1.0.0" };
    await publish("1.0.0");
    await expect(promoteRelease(signed)).rejects.toThrow("not signed");
    await publishRelease(dir, { model: MODEL, version: "1.0.0", store, key });
    await promoteRelease({ ...unsigned, store, version: "1.0.0" });
    await expect(promoteRelease(signed)).rejects.toThrow(/cannot be loaded/);
  });
});

describe("verifyRelease", () => {
  it("finds every byte that differs, by file", async () => {
    const { release } = await publish("1.0.0");
    const ask = { store, model: MODEL, version: "1.0.0", trust: "unsigned" } as const;
    expect((await verifyRelease(ask)).problems).toEqual([]);
    const file = "onnx/decoder_model_merged.onnx_data";
    const key = blobKey(release.files[file]?.shards[1]?.sha256 ?? "");
    const bytes = Uint8Array.from((await store.get(key)) ?? []);
    bytes[77] = (bytes[77] ?? 0) ^ 1;
    await store.put(key, bytes);
    await store.delete(blobKey(release.files["config.json"]?.sha256 ?? ""));
    const { problems } = await verifyRelease(ask);
    expect(problems.map((problem) => problem.file).toSorted()).toEqual(["config.json", file]);
  });

  it("tells an unsigned release from a signed one", async () => {
    const key = await generateKeyPair();
    const trust = [await importPublicKey(key.publicPem)];
    await publish("1.0.0");
    const ask = { store, model: MODEL, version: "1.0.0", trust };
    expect((await verifyRelease(ask)).problems).toEqual([{ file: "model.sig", problem: "the release is not signed" }]);
    await publishRelease(dir, { model: MODEL, version: "1.0.0", store, key });
    expect((await verifyRelease(ask)).problems).toEqual([]);
  });
});
