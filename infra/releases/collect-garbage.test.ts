import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { blobKey, channelKey } from "../../shared/releases/keys.ts";
import { fileStore } from "../store/file-store.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { readInventory, sharedBytes, storedBytes } from "./inventory.ts";
import { promoteRelease, rollbackRelease } from "./promote-release.ts";
import { publishRelease } from "./publish-release.ts";
import { changeOneWeight, writeTinyFolder } from "./tiny-folder.ts";
import { verifyRelease } from "./verify-release.ts";

const MODEL = "tiny";
let folder: string;
let dir: string;
let store: ObjectStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fovea-gc-"));
  dir = join(folder, "model");
  store = fileStore(join(folder, "store"));
  await writeTinyFolder(dir);
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const publish = (version: string) => publishRelease(dir, { model: MODEL, version, store });
const unsigned = { model: MODEL, channel: "production", key: null, trust: "unsigned" } as const;

describe("collectGarbage", () => {
  const day = 86_400_000;
  const options = { trust: "unsigned", keep: 1, graceMs: day, dryRun: false, now: () => Date.now() + 2 * day } as const;

  async function three(): Promise<void> {
    await publish("1.0.0");
    await promoteRelease({ ...unsigned, store, version: "1.0.0" });
    for (const version of ["1.0.1", "1.0.2"]) {
      await changeOneWeight(dir);
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

  it("keeps stable, canary, retired, history and the last N, all else goes", async () => {
    const versions = ["1", "2", "3", "4", "5", "6", "7"];
    for (const version of versions) {
      await writeFile(join(dir, "generation_config.json"), JSON.stringify({ version }));
      await publish(version);
    }
    for (const version of ["1", "3"]) await promoteRelease({ ...unsigned, store, version });
    await promoteRelease({ ...unsigned, store, version: "2", canary: 5 });
    await rollbackRelease({ ...unsigned, store });
    await promoteRelease({ ...unsigned, store, version: "4", canary: 5 });
    const [channel] = (await readInventory(store, "unsigned")).channels;
    expect(channel).toMatchObject({ stable: { version: "3" }, history: [{ version: "1" }], retired: { version: "2" } });
    const dry = await collectGarbage({ ...options, store, dryRun: true });
    expect(dry.releases.toSorted()).toEqual([`${MODEL}@5`, `${MODEL}@6`]);
    const keepTwo = await collectGarbage({ ...options, store, keep: 2, dryRun: true });
    expect(keepTwo.releases).toEqual([`${MODEL}@5`]);
    await collectGarbage({ ...options, store });
    const left = (await readInventory(store, "unsigned")).releases.map(({ version }) => version);
    expect(left.toSorted()).toEqual(["1", "2", "3", "4", "7"]);
  });

  it("leaves what is young: a publish may be about to name it", async () => {
    await three();
    await store.put(blobKey("0".repeat(64)), new Uint8Array(3));
    const now = await collectGarbage({ ...options, store, now: Date.now });
    expect(now).toMatchObject({ releases: [], blobs: 0 });
  });

  it("stops when a channel document cannot be read", async () => {
    await three();
    await store.put(channelKey("other", "production"), new TextEncoder().encode("<html>"));
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
