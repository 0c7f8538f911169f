import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { createHash, randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeStoreContract } from "./contract.ts";
import { fileStore } from "./file-store.ts";
import type { ObjectStore } from "./object-store.ts";

describeStoreContract("file:", async () => {
  const path = await mkdtemp(join(tmpdir(), "fovea-store-"));
  return { store: fileStore(path), close: () => rm(path, { recursive: true, force: true }) };
});

describe("file: alone", () => {
  let path: string;
  let store: ObjectStore;
  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), "fovea-store-"));
    store = fileStore(path);
  });
  afterAll(() => rm(path, { recursive: true, force: true }));

  it.each(["../outside", "a/../../outside", "/etc/passwd", "a//b", "", ".", "a\\..\\b"])(
    "refuses the key %j",
    async (key) => {
      await expect(store.put(key, new Uint8Array(1))).rejects.toThrow("not a key");
      await expect(store.get(key)).rejects.toThrow("not a key");
    },
  );

  it("leaves no temporary file behind, neither after a put nor after a refused one", async () => {
    await store.put("x", new Uint8Array(1));
    await expect(store.put("x", new Uint8Array(1), { ifNoneMatch: "*" })).rejects.toThrow("exists");
    await expect(store.put("x", new Uint8Array(1), { ifMatch: '"other"' })).rejects.toThrow("changed");
    expect(await readdir(join(path, ".tmp"))).toEqual([]);
  });

  it("removes what a put that was killed left behind, once it is a day old, and no lock", async () => {
    const [old, young] = [randomUUID(), randomUUID()];
    for (const name of [old, young, "a.lock"]) await writeFile(join(path, ".tmp", name), "half");
    for (const name of [old, "a.lock"]) await utimes(join(path, ".tmp", name), new Date(0), new Date(0));
    await fileStore(path).put("x", new Uint8Array(1));
    expect((await readdir(join(path, ".tmp"))).toSorted()).toEqual([young, "a.lock"].toSorted());
    for (const name of [young, "a.lock"]) await rm(join(path, ".tmp", name));
  });

  it("takes over the lock of a writer that died", async () => {
    const { etag } = await store.put("locked", new Uint8Array(1));
    const lock = join(path, ".tmp", `${createHash("sha256").update(join(path, "locked")).digest("hex")}.lock`);
    await writeFile(lock, "1");
    await expect(store.put("locked", new Uint8Array(2), { ifMatch: etag })).rejects.toThrow("another writer");
    await utimes(lock, new Date(0), new Date(0));
    expect((await store.put("locked", new Uint8Array(2), { ifMatch: etag })).size).toBe(2);
  });

  it("lets one of many writers win who find the lock of one that died", async () => {
    for (let round = 0; round < 10; round += 1) {
      const { etag } = await store.put("pointer", new Uint8Array(1));
      const lock = join(path, ".tmp", `${createHash("sha256").update(join(path, "pointer")).digest("hex")}.lock`);
      await writeFile(lock, "1");
      await utimes(lock, new Date(0), new Date(0));
      const puts = Array.from({ length: 6 }, (_, i) => store.put("pointer", new Uint8Array([i]), { ifMatch: etag }));
      const won = (await Promise.allSettled(puts)).filter(({ status }) => status === "fulfilled");
      expect(won.length).toBe(1);
    }
    expect(await readdir(join(path, ".tmp"))).toEqual([]);
  });
});
