import { beforeAll, describe, expect, it } from "vitest";
import type { BlobSource } from "./blob-source.ts";
import { cacheSource } from "./cache-source.ts";
import { ReleaseError } from "./error.ts";
import { blobKey } from "./keys.ts";
import type { ReleaseFile } from "./release.ts";
import { ShardReader } from "./shard-reader.ts";
import { mapSource, streamOf, TINY_FILE, tinyRelease, type TinyRelease } from "./tiny-release.ts";

let tiny: TinyRelease;
let file: ReleaseFile;
let keys: readonly string[];
beforeAll(async () => {
  tiny = await tinyRelease();
  const found = tiny.release.files[TINY_FILE];
  if (found === undefined) throw new Error("the tiny release has its file");
  file = found;
  keys = file.shards.map(({ sha256 }) => blobKey(sha256));
});

const faultOf = async (work: Promise<unknown>) =>
  work.then(
    () => "read",
    (thrown: unknown) => (thrown instanceof ReleaseError ? thrown.fault : String(thrown)),
  );

const good = () => mapSource("r2", tiny.objects);

/** The good source, but for the first shard of the file. */
const bad = (answer: (bytes: Uint8Array<ArrayBuffer>) => unknown): BlobSource => ({
  name: "bad",
  get: async (key, signal) => {
    if (key !== keys[0]) return good().get(key, signal);
    return (await answer(tiny.objects.get(key) ?? new Uint8Array())) as never;
  },
});

const flipped = (bytes: Uint8Array) => bytes.map((byte, i) => (i === 4 ? byte ^ 1 : byte));

/** A byte each 20 ms: never silent, and never done in time. */
function drip(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, (at += 1)));
    },
  });
}

/** Row by row, what a store may do to a shard, and what the reader says. */
const FAULTS: readonly (readonly [string, string, (bytes: Uint8Array<ArrayBuffer>) => unknown])[] = [
  ["truncated", "shard_length_mismatch", (bytes) => streamOf(bytes.subarray(0, -1))],
  ["empty", "shard_length_mismatch", () => new Uint8Array()],
  ["bit-flipped", "shard_digest_mismatch", (bytes) => streamOf(flipped(bytes))],
  ["swapped for another shard", "shard_length_mismatch", () => tiny.objects.get(keys[1] ?? "")],
  ["swapped for bytes of equal length", "shard_digest_mismatch", (bytes) => new Uint8Array(bytes.length)],
  ["too long", "shard_length_mismatch", (bytes) => streamOf(new Uint8Array([...bytes, 0]))],
  ["without end", "shard_length_mismatch", () => streamOf(new Uint8Array(1e6), 1000)],
  ["HTML with 200", "shard_length_mismatch", () => streamOf(new TextEncoder().encode("<!doctype html>".repeat(9)))],
  ["missing", "shard_missing", () => null],
  ["503", "shard_unreadable", () => Promise.reject(new Error("the mirror answered 503"))],
  ["429", "shard_unreadable", () => Promise.reject(new Error("the mirror answered 429"))],
  ["slow", "shard_unreadable", () => new ReadableStream({ pull: () => new Promise(() => undefined) })],
  ["dripping", "shard_unreadable", (bytes) => drip(bytes)],
  ["silent", "shard_unreadable", () => new Promise(() => undefined)],
  ["broken off", "shard_unreadable", () => new ReadableStream({ start: (c) => c.error(new Error("reset")) })],
];

describe("ShardReader", () => {
  it("puts a file together from its shards", async () => {
    const bytes = await new ShardReader([good()]).file(file);
    expect(new TextDecoder().decode(bytes)).toBe("weights of a tiny encoder");
    expect(file.shards.length).toBe(2);
  });

  it.each(FAULTS)("uses nothing of a shard that is %s", async (_, fault, answer) => {
    const limits = { timeoutMs: 40 };
    expect(await faultOf(new ShardReader([bad(answer)], {}, limits).file(file))).toBe(fault);
  });

  it.each(FAULTS)("takes the second source when the first is %s, and says so", async (name, fault, answer) => {
    const events: string[] = [];
    const reader = new ShardReader(
      [bad(answer), good()],
      { onFault: (event) => events.push(event.fault) },
      { timeoutMs: 40 },
    );
    expect(new TextDecoder().decode(await reader.file(file))).toBe("weights of a tiny encoder");
    // Null from a first source is an ordinary miss.
    expect(events).toEqual(name === "missing" ? [] : [fault]);
  });

  it("rides out a 503 of a moment", async () => {
    let calls = 0;
    const flaky: BlobSource = {
      name: "flaky",
      get: (key) => {
        calls += 1;
        return calls <= 2 ? Promise.reject(new Error("503")) : good().get(key);
      },
    };
    expect(await faultOf(new ShardReader([flaky]).file(file))).toBe("read");
  });

  it("lets an answer that comes too late touch nothing", async () => {
    let answerLate: (bytes: Uint8Array) => void = () => undefined;
    const late: BlobSource = {
      name: "late",
      get: () => new Promise((resolve) => (answerLate = (bytes) => resolve(bytes))),
    };
    const shard = { sha256: file.shards[0]?.sha256 ?? "", size: file.shards[0]?.size ?? 0 };
    const one = { sha256: shard.sha256, size: shard.size, shards: [shard] };
    const bytes = await new ShardReader([late, good()], {}, { timeoutMs: 20 }).file(one);
    const before = bytes.slice();
    answerLate(new Uint8Array(shard.size).fill(0xee));
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(bytes).toEqual(before);
  });

  it("keeps at most six reads in flight, and one copy of the file plus one network chunk each in memory", async () => {
    const shards = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const bytes = new Uint8Array(10_000).fill(i);
        const digest = await crypto.subtle.digest("SHA-256", bytes);
        const sha256 = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
        return { sha256, size: bytes.length, bytes };
      }),
    );
    const byKey = new Map(shards.map(({ sha256, bytes }) => [blobKey(sha256), bytes]));
    let inFlight = 0;
    let peak = 0;
    let liveChunks = 0;
    let peakChunks = 0;
    const counting: BlobSource = {
      name: "counting",
      get: (key) => {
        inFlight += 1;
        peak = Math.max(peak, inFlight);
        const bytes = byKey.get(key) ?? new Uint8Array();
        let at = 0;
        const body = new ReadableStream<Uint8Array>(
          {
            async pull(controller) {
              if (at > 0) liveChunks -= 1;
              await new Promise((resolve) => setTimeout(resolve, 1));
              if (at >= bytes.length) {
                inFlight -= 1;
                controller.close();
                return;
              }
              liveChunks += 1;
              peakChunks = Math.max(peakChunks, liveChunks);
              controller.enqueue(bytes.slice(at, at + 1000));
              at += 1000;
            },
          },
          { highWaterMark: 0 },
        );
        return Promise.resolve(body);
      },
    };
    const size = 20 * 10_000;
    const whole = { sha256: "0".repeat(64), size, shards: shards.map(({ sha256, size }) => ({ sha256, size })) };
    const bytes = await new ShardReader([counting]).file(whole);
    expect(bytes.buffer.byteLength).toBe(size);
    expect(peak).toBe(6);
    expect(peakChunks).toBeLessThanOrEqual(6);
  });
});

describe("the cache in front", () => {
  function memoryCache() {
    const held = new Map<string, Response>();
    let puts = 0;
    return {
      held,
      puts: () => puts,
      match: (url: string) => Promise.resolve(held.get(url)?.clone()),
      put: (url: string, response: Response) => {
        puts += 1;
        held.set(url, response);
        return Promise.resolve();
      },
    };
  }

  it("is filled with verified bytes and asked first", async () => {
    const cache = memoryCache();
    let asked = 0;
    const store: BlobSource = { name: "r2", get: (key) => ((asked += 1), good().get(key)) };
    const reader = new ShardReader([cacheSource(cache), store]);
    await reader.file(file);
    expect([asked, cache.puts()]).toEqual([2, 2]);
    await reader.file(file);
    expect([asked, cache.puts()]).toEqual([2, 2]);
  });

  it("is the location's own in workerd, and serves when the bucket is down", async () => {
    await new ShardReader([cacheSource(caches.default), good()]).file(file);
    const down: BlobSource = { name: "r2", get: () => Promise.reject(new Error("503")) };
    const bytes = await new ShardReader([cacheSource(caches.default), down]).file(file);
    expect(new TextDecoder().decode(bytes)).toBe("weights of a tiny encoder");
  });

  it("is corrected when it holds other bytes", async () => {
    const cache = memoryCache();
    const reader = new ShardReader([cacheSource(cache), good()]);
    await reader.file(file);
    for (const url of cache.held.keys()) cache.held.set(url, new Response("poison"));
    expect(new TextDecoder().decode(await reader.file(file))).toBe("weights of a tiny encoder");
    expect(cache.puts()).toBe(4);
    const [first] = cache.held.values();
    expect(await first?.clone().text()).not.toBe("poison");
  });

  it("never holds a document that may change", async () => {
    const cache = memoryCache();
    await cacheSource(cache).put?.("channels/production/tiny.json", new Uint8Array(1));
    expect(cache.puts()).toBe(0);
    expect(await cacheSource(cache).get("channels/production/tiny.json")).toBeNull();
  });
});
