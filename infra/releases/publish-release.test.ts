import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { generateKeyPair, importPublicKey } from "../../shared/releases/ecdsa.ts";
import { blobKey, channelKey, manifestKey } from "../../shared/releases/keys.ts";
import { tinyTokenizer } from "../../shared/tokenizer/tiny-tokenizer.ts";
import { fileStore } from "../store/file-store.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { diffReleases } from "./diff-releases.ts";
import { flakyStore } from "./flaky-store.ts";
import { readInventory, sharedBytes, storedBytes } from "./inventory.ts";
import { concatBytes, writeField, writeVarintField } from "./onnx/wire.ts";
import { promoteRelease, rollbackRelease } from "./promote-release.ts";
import { publishRelease } from "./publish-release.ts";
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
  await mkdir(join(dir, "onnx"), { recursive: true });
  await writeFile(join(dir, "config.json"), JSON.stringify({ model_type: "llava" }));
  await writeFile(join(dir, "preprocessor_config.json"), "{}");
  await writeFile(join(dir, "tokenizer.json"), JSON.stringify(tinyTokenizer()));
  await writeFile(join(dir, "tokenizer_config.json"), JSON.stringify({ chat_template: "{{ messages }}" }));
  for (const name of ["vision_encoder", "embed_tokens", "decoder_model_merged"]) {
    await writeFile(join(dir, "onnx", `${name}.onnx`), tinyGraph(weights(name)));
  }
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const text = (value: string) => new TextEncoder().encode(value);

/** 20 MiB of the backbone, so that it has three shards; 4 KiB of the others. */
function weights(name: string): Uint8Array {
  const length = name === "decoder_model_merged" ? 20 * 1024 * 1024 : 4096;
  return Uint8Array.from({ length }, (_, i) => (i * 2654435761 + name.length) >>> 24);
}

/** An ONNX model with one float32 initializer, one input and one output. */
function tinyGraph(raw: Uint8Array): Uint8Array {
  const value = (name: string) =>
    concatBytes([writeField(1, text(name)), writeField(2, writeField(1, writeVarintField(1, 1n)))]);
  const tensor = concatBytes([writeVarintField(2, 1n), writeField(8, text("w")), writeField(9, raw)]);
  const graph = concatBytes([writeField(5, tensor), writeField(11, value("x")), writeField(12, value("y"))]);
  return concatBytes([writeVarintField(1, 8n), writeField(7, graph)]);
}

async function changeOneWeight(): Promise<void> {
  const path = join(dir, "onnx", "decoder_model_merged.onnx");
  const bytes = await readFile(path);
  const at = 12 * 1024 * 1024;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

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
    await changeOneWeight();
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
    await changeOneWeight();
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
    await changeOneWeight();
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
    await changeOneWeight();
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

describe("collectGarbage", () => {
  const day = 86_400_000;
  const options = { trust: "unsigned", keep: 1, graceMs: day, dryRun: false, now: () => Date.now() + 2 * day } as const;

  async function three(): Promise<void> {
    await publish("1.0.0");
    await promoteRelease({ ...unsigned, store, version: "1.0.0" });
    for (const version of ["1.0.1", "1.0.2"]) {
      await changeOneWeight();
      // Every other change gives the first weight back, so each version differs by a file of its own too.
      await writeFile(join(dir, "generation_config.json"), JSON.stringify({ version }));
      await publish(version);
    }
  }

  it("keeps what a channel names and the newest, removes the rest, and breaks nothing", async () => {
    await three();
    const dry = await collectGarbage({ ...options, store, dryRun: true });
    expect(dry.releases).toEqual([`${MODEL}@1.0.1`]);
    expect((await readInventory(store, "unsigned")).releases.length).toBe(3);
    const done = await collectGarbage({ ...options, store });
    expect(done).toEqual(dry);
    expect(done.blobs).toBeGreaterThan(0);
    for (const version of ["1.0.0", "1.0.2"]) {
      expect((await verifyRelease({ store, model: MODEL, version, trust: "unsigned" })).problems).toEqual([]);
    }
    expect(await collectGarbage({ ...options, store })).toMatchObject({ releases: [], blobs: 0 });
  });

  it("leaves what is young: a publish may be about to name it", async () => {
    await three();
    await store.put(blobKey("0".repeat(64)), new Uint8Array(3));
    const now = await collectGarbage({ ...options, store, now: Date.now });
    expect(now).toMatchObject({ releases: [], blobs: 0 });
  });

  it("stops when a channel document cannot be read", async () => {
    await three();
    await store.put(channelKey("other", "production"), text("<html>"));
    await expect(collectGarbage({ ...options, store })).rejects.toThrow("nothing was removed");
    expect((await readInventory(store, "unsigned")).releases.length).toBe(3);
  });

  it("counts shared bytes", async () => {
    await three();
    const { releases } = await readInventory(store, "unsigned");
    const all = releases.map(({ release }) => release);
    for (const release of all) expect(sharedBytes(release, all)).toBeLessThan(storedBytes(release) + 1);
    expect(sharedBytes(all[0] ?? (await publish("x")).release, all)).toBeGreaterThan(12 * 1024 * 1024);
  });
});
