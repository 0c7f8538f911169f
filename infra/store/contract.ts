import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StoreError, type ObjectStore } from "./object-store.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array | null) => (value === null ? null : new TextDecoder().decode(value));

/** What every store must do, whatever is behind it. A new driver is one file and one call of this. */
export function describeStoreContract(
  name: string,
  open: () => Promise<{ store: ObjectStore; close: () => Promise<void> }>,
): void {
  describe(`${name} as an ObjectStore`, () => {
    let store: ObjectStore;
    let close: () => Promise<void>;
    beforeAll(async () => {
      ({ store, close } = await open());
    });
    afterAll(async () => {
      store.close();
      await close();
    });

    const refused = async (work: Promise<unknown>) =>
      work.then(
        () => "accepted",
        (thrown: unknown) => (thrown instanceof StoreError ? thrown.fault : String(thrown)),
      );

    it("gives back what was put, whole and in ranges", async () => {
      const { size, etag } = await store.put("a/object", bytes("0123456789"));
      expect(size).toBe(10);
      expect(text(await store.get("a/object"))).toBe("0123456789");
      expect(text(await store.get("a/object", { range: { offset: 2, length: 3 } }))).toBe("234");
      expect(text(await store.get("a/object", { range: { offset: 8, length: 100 } }))).toBe("89");
      expect(text(await store.get("a/object", { range: { offset: 100, length: 5 } }))).toBe("");
      expect(text(await store.get("a/object", { range: { offset: 0, length: 0 } }))).toBe("");
      expect(await store.head("a/object")).toMatchObject({ size: 10, etag });
    });

    it("says null for what is not there, below a folder and below an object too", async () => {
      expect(await store.get("missing")).toBeNull();
      expect(await store.head("missing")).toBeNull();
      expect(await store.get("a/object/below")).toBeNull();
      expect(await store.head("a")).toBeNull();
      expect(await store.get("missing", { range: { offset: 0, length: 1 } })).toBeNull();
    });

    it("creates once: If-None-Match", async () => {
      await store.put("once", bytes("first"), { ifNoneMatch: "*" });
      expect(await refused(store.put("once", bytes("second"), { ifNoneMatch: "*" }))).toBe("precondition_failed");
      expect(text(await store.get("once"))).toBe("first");
    });

    it("lets one of many creators win", async () => {
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, i) => refused(store.put("race", bytes(`writer ${i}`), { ifNoneMatch: "*" }))),
      );
      expect(results.filter((result) => result === "accepted").length).toBe(1);
      expect(text(await store.get("race"))).toBe(`writer ${results.indexOf("accepted")}`);
    });

    it("replaces what it read, and nothing else: If-Match", async () => {
      const one = await store.put("pointer", bytes("one"));
      const two = await store.put("pointer", bytes("two"), { ifMatch: one.etag });
      expect(await refused(store.put("pointer", bytes("three"), { ifMatch: one.etag }))).toBe("precondition_failed");
      expect(text(await store.get("pointer"))).toBe("two");
      expect((await store.head("pointer"))?.etag).toBe(two.etag);
      await store.delete("pointer");
      expect(await refused(store.put("pointer", bytes("four"), { ifMatch: two.etag }))).toBe("precondition_failed");
      expect(await store.get("pointer")).toBeNull();
    });

    it("makes an object young without its bytes", async () => {
      await store.put("touched/a b", bytes("0123456789"));
      const before = (await store.head("touched/a b"))?.modifiedAt ?? Infinity;
      // Some stores tell the time in whole seconds.
      await setTimeout(1100);
      expect(await store.touch("touched/a b")).toBe(true);
      expect((await store.head("touched/a b"))?.modifiedAt).toBeGreaterThan(before);
      expect(text(await store.get("touched/a b"))).toBe("0123456789");
      expect(await store.touch("untouched")).toBe(false);
    });

    it("lists by prefix, in order, with sizes and times", async () => {
      for (const key of ["list/b/2", "list/b/1", "list/a", "list/b.json", "listed"]) await store.put(key, bytes(key));
      const found = [];
      for await (const { key, size, modifiedAt } of store.list("list/")) {
        expect(Math.abs(modifiedAt - Date.now())).toBeLessThan(3_600_000);
        found.push([key, size]);
      }
      expect(found).toEqual([
        ["list/a", 6],
        ["list/b.json", 11],
        ["list/b/1", 8],
        ["list/b/2", 8],
      ]);
      const inside = [];
      for await (const { key } of store.list("list/b")) inside.push(key);
      expect(inside).toEqual(["list/b.json", "list/b/1", "list/b/2"]);
    });

    it("lists more than a page holds", async () => {
      const keys = Array.from({ length: 1005 }, (_, i) => `many/${String(i).padStart(4, "0")}`);
      for (let at = 0; at < keys.length; at += 50) {
        await Promise.all(keys.slice(at, at + 50).map((key) => store.put(key, bytes("x"))));
      }
      const found = [];
      for await (const { key } of store.list("many/")) found.push(key);
      expect(found).toEqual(keys);
    });

    it("lists on while objects are deleted", async () => {
      const keys = ["going/1", "going/2", "going/3"];
      for (const key of keys) await store.put(key, bytes(key));
      const found = [];
      for await (const { key } of store.list("going/")) {
        found.push(key);
        for (const other of keys) if (other !== key) await store.delete(other);
      }
      expect(keys).toEqual(expect.arrayContaining(found));
      expect(found[0]).toBe("going/1");
    });

    it("deletes, also what is not there", async () => {
      await store.put("gone", bytes("x"));
      await store.delete("gone");
      await store.delete("gone");
      expect(await store.head("gone")).toBeNull();
    });

    it("holds a shard of 8 MiB to the byte", async () => {
      const shard = Uint8Array.from({ length: 8 * 1024 * 1024 }, (_, i) => (i * 31) & 0xff);
      await store.put("shard", shard);
      expect((await store.head("shard"))?.size).toBe(shard.length);
      expect(Buffer.compare(Buffer.from((await store.get("shard")) ?? []), Buffer.from(shard))).toBe(0);
    });
  });
}
