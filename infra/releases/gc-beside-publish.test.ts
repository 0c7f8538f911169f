import { mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Trust } from "../../shared/releases/dsse.ts";
import { generateKeyPair, importPublicKey, type SigningKey } from "../../shared/releases/ecdsa.ts";
import { manifestKey, RELEASES_PREFIX } from "../../shared/releases/keys.ts";
import { fileStore } from "../store/file-store.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { flakyStore } from "./flaky-store.ts";
import { promoteRelease } from "./promote-release.ts";
import { publishRelease, type PublishResult } from "./publish-release.ts";
import { changeOneWeight, writeTinyFolder } from "./tiny-folder.ts";
import { verifyRelease } from "./verify-release.ts";

const MODEL = "tiny";
const DAY = 86_400_000;
let folder: string;
let dir: string;
let store: ObjectStore;
let key: SigningKey;

beforeAll(async () => {
  key = await generateKeyPair();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fovea-beside-"));
  dir = join(folder, "model");
  store = fileStore(join(folder, "store"));
  await writeTinyFolder(dir);
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const gc = (watched: ObjectStore) =>
  collectGarbage({ store: watched, trust: "unsigned", keep: 1, graceMs: DAY, dryRun: false });
const now = () => Promise.resolve();
const publish = (
  version: string,
  {
    target = store,
    settle = now,
    key = null,
  }: { target?: ObjectStore; settle?: typeof now; key?: SigningKey | null } = {},
) => publishRelease(dir, { model: MODEL, version, store: target, settle, key });
const promote = (version: string, settle = now) =>
  promoteRelease({ model: MODEL, version, channel: "production", store, key: null, trust: "unsigned", settle });
const problems = async (version: string, trust: Trust = "unsigned") =>
  (await verifyRelease({ store, model: MODEL, version, trust })).problems;

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

describe("gc beside a publish of a release that it drops", () => {
  /** 1 is older than 2, no channel names it, and `keep` is 1. */
  async function twoOld(): Promise<void> {
    await publish("1", { key });
    await changeOneWeight(dir);
    await publish("2", { key });
    await changeOneWeight(dir);
    await age();
    const later = new Date(Date.now() - 2 * DAY);
    await utimes(join(folder, "store", manifestKey(MODEL, "2")), later, later);
  }

  /** The store as a publish sees it when `meanwhile` happens after its first look at the manifest. */
  function afterManifest(meanwhile: () => Promise<unknown>): ObjectStore {
    let once: (() => Promise<unknown>) | null = meanwhile;
    return {
      ...store,
      async get(key, options) {
        const bytes = await store.get(key, options);
        const first = key === manifestKey(MODEL, "1") ? once : null;
        if (first !== null) once = null;
        await first?.();
        return bytes;
      },
    };
  }

  it("writes the manifest and the signature that went after it looked", async () => {
    await twoOld();
    const target = afterManifest(async () => expect((await gc(store)).releases).toEqual(["tiny@1"]));
    expect(await publish("1", { target, key })).toMatchObject({ created: true });
    expect(await problems("1", [await importPublicKey(key.publicPem)])).toEqual([]);
  });

  it("keeps a release that was published again after its look", async () => {
    await twoOld();
    const watched = afterLook(1, () => publish("1", { key }));
    expect(await gc(watched)).toMatchObject({ releases: [], blobs: 0 });
    expect(await problems("1", [await importPublicKey(key.publicPem)])).toEqual([]);
  });

  it("keeps a release that was promoted after its look", async () => {
    await twoOld();
    expect(await gc(afterLook(1, () => promote("1")))).toMatchObject({ releases: [], blobs: 0 });
    expect(await problems("1")).toEqual([]);
  });

  it("a promote tells when a delete was on its way", async () => {
    await twoOld();
    let promoting: Promise<unknown> | undefined;
    const deleted = signal();
    const watched: ObjectStore = {
      ...store,
      async delete(key) {
        const renewed = signal();
        const settle = () => (renewed.give(), deleted.given);
        promoting ??= promote("1", settle).catch((thrown: unknown) => String(thrown));
        if (key === manifestKey(MODEL, "1")) await renewed.given;
        await store.delete(key);
        deleted.give();
      },
    };
    await gc(watched);
    expect(await promoting).toContain("not published");
  });
});

function signal(): { given: Promise<void>; give: () => void } {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => (give = resolve));
  return { given, give: () => give() };
}
