import { mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RELEASES_PREFIX } from "../../shared/releases/keys.ts";
import { fileStore } from "../store/file-store.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { flakyStore } from "./flaky-store.ts";
import { promoteRelease } from "./promote-release.ts";
import { publishRelease, type PublishResult } from "./publish-release.ts";
import { writeTinyFolder } from "./tiny-folder.ts";
import { verifyRelease } from "./verify-release.ts";

const MODEL = "tiny";
const DAY = 86_400_000;
let folder: string;
let dir: string;
let store: ObjectStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fovea-beside-"));
  dir = join(folder, "model");
  store = fileStore(join(folder, "store"));
  await writeTinyFolder(dir);
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const gc = (watched: ObjectStore) =>
  collectGarbage({ store: watched, trust: "unsigned", keep: 1, graceMs: DAY, dryRun: false });
const publish = (version: string, { target = store, settle = () => Promise.resolve() } = {}) =>
  publishRelease(dir, { model: MODEL, version, store: target, settle });
const promote = (version: string) =>
  promoteRelease({ model: MODEL, version, channel: "production", store, key: null, trust: "unsigned" });
const problems = async (version: string) =>
  (await verifyRelease({ store, model: MODEL, version, trust: "unsigned" })).problems;

/** All that is stored was written three days ago. */
async function age(): Promise<void> {
  const then = new Date(Date.now() - 3 * DAY);
  for (const entry of await readdir(join(folder, "store"), { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await utimes(join(entry.parentPath, entry.name), then, then);
  }
}

/** The store as `gc` sees it when `meanwhile` happens after its look at what is named, the nth one. */
function afterLook(nth: number, meanwhile: () => Promise<unknown>): ObjectStore {
  let looks = 0;
  return {
    ...store,
    async *list(prefix) {
      yield* store.list(prefix);
      if (prefix === RELEASES_PREFIX && ++looks === nth) await meanwhile();
    },
  };
}

describe("gc beside a publish", () => {
  /** Shards that no manifest names, old enough to go. */
  async function oldShards(): Promise<void> {
    const crashing = flakyStore(store, (key) => key.endsWith("manifest.json"));
    await expect(publish("1", { target: crashing })).rejects.toThrow("crashed");
    await age();
  }

  it("takes no shard of a release that came after its last look and uses old shards again", async () => {
    await oldShards();
    let published: PublishResult | undefined;
    const watched = afterLook(2, async () => {
      published = await publish("1");
      await promote("1");
    });
    expect(await gc(watched)).toMatchObject({ releases: [], blobs: 0 });
    expect(published).toMatchObject({ created: true, uploadedShards: 0 });
    expect(await problems("1")).toEqual([]);
  });

  it("gives back a shard whose delete was on its way when the publish made it young", async () => {
    await oldShards();
    const [named, deleted] = [signal(), signal()];
    const target: ObjectStore = {
      ...store,
      async put(key, bytes, condition) {
        const info = await store.put(key, bytes, condition);
        if (key.endsWith("manifest.json")) named.give();
        return info;
      },
    };
    let publishing: Promise<PublishResult> | undefined;
    const watched: ObjectStore = {
      ...store,
      async delete(key) {
        publishing ??= publish("1", { target, settle: () => deleted.given });
        await named.given;
        await store.delete(key);
        deleted.give();
      },
    };
    expect((await gc(watched)).blobs).toBe(1);
    expect((await publishing)?.created).toBe(true);
    expect(await problems("1")).toEqual([]);
  });

  it("waits for nothing when no shard was old", async () => {
    const settle = () => Promise.reject(new Error("waited"));
    await publish("1", { settle });
    await publish("2", { settle });
  });
});

function signal(): { given: Promise<void>; give: () => void } {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => (give = resolve));
  return { given, give: () => give() };
}
