import { describe, expect, it } from "vitest";
import relaxedModule from "../encoder.wasm";
import { ProgramError } from "./error.ts";
import { assembled, GOLDEN, pictureOf, sha256 } from "./fixtures.testing.ts";
import { loadEncoder, shardsInto, type ShardSource } from "./load.ts";

const { program, weights } = assembled("vit");
const SHARD = 10_000;

async function shardsOf(bytes: Uint8Array<ArrayBuffer>): Promise<{ sha256: string; size: number }[]> {
  const shards: { sha256: string; size: number }[] = [];
  for (let at = 0; at < bytes.length; at += SHARD) {
    const part = bytes.subarray(at, at + SHARD);
    shards.push({ sha256: await sha256(part), size: part.length });
  }
  return shards;
}

/** A store that hands out `bytes` in odd pieces. */
async function source(
  bytes: Uint8Array<ArrayBuffer> = weights,
  change: Partial<ShardSource> = {},
): Promise<ShardSource> {
  return {
    shards: await shardsOf(weights),
    read: async function* (index) {
      const shard = bytes.subarray(index * SHARD, (index + 1) * SHARD);
      for (let at = 0; at < shard.length; at += 777) {
        await Promise.resolve();
        yield shard.subarray(at, at + 777);
      }
    },
    ...change,
  };
}

describe("loadEncoder", () => {
  it("puts shards that arrive in pieces into place, and runs", async () => {
    const machine = await loadEncoder(program, relaxedModule, shardsInto(await source()));
    const features = await machine.run((input) => input.set(pictureOf("vit")));
    expect(await sha256(features)).toBe(GOLDEN.vit.sha256.i8_u7);
    expect(machine.memoryBytes).toBeLessThan(weights.length + machine.program.arenaBytes + 2 * 65_536);
  });

  it("refuses weights in which any one byte differs", async () => {
    for (let at = 0; at < weights.length; at += 1501) {
      const damaged = weights.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      const fill = shardsInto(await source(damaged));
      await expect(loadEncoder(program, relaxedModule, fill)).rejects.toThrow("other bytes");
    }
  });

  it("refuses short, long and missing shards, wrong lists, and a failing store", async () => {
    const shards = await shardsOf(weights);
    const empty = async function* (): AsyncIterable<Uint8Array> {};
    const endless = async function* (): AsyncIterable<Uint8Array> {
      for (;;) yield new Uint8Array(4096);
    };
    const failing = async function* (): AsyncIterable<Uint8Array> {
      yield await Promise.reject<Uint8Array>(new Error("store is down"));
    };
    const table: [Partial<ShardSource>, string][] = [
      [{ read: empty }, "0 bytes"],
      [{ read: endless }, "more bytes"],
      [{ read: failing }, "store is down"],
      [{ shards: shards.slice(1) }, "not the weights"],
      [{ shards: [] }, "not the weights"],
      [{ shards: [{ sha256: "", size: 2 ** 40 }] }, "valid size"],
      [{ shards: shards.toReversed() }, "bytes"],
    ];
    for (const [change, message] of table) {
      const fill = shardsInto(await source(weights, change));
      await expect(loadEncoder(program, relaxedModule, fill)).rejects.toThrow(message);
    }
    await expect(loadEncoder(program.slice(0, 50), relaxedModule, () => Promise.resolve())).rejects.toThrow(
      ProgramError,
    );
  });

  it("hashes as it reads where the platform can, and believes only the hash", async () => {
    const createHasher = () => {
      const chunks: Uint8Array<ArrayBuffer>[] = [];
      return {
        update: (chunk: Uint8Array) => void chunks.push(new Uint8Array(chunk)),
        hex: async () => sha256(await new Blob(chunks).arrayBuffer()),
      };
    };
    await expect(
      loadEncoder(program, relaxedModule, shardsInto(await source(weights, { createHasher }))),
    ).resolves.toBeDefined();
    const lying = () => ({ update: () => undefined, hex: () => Promise.resolve("00") });
    const fill = shardsInto(await source(weights, { createHasher: lying }));
    await expect(loadEncoder(program, relaxedModule, fill)).rejects.toThrow("other bytes");
  });

  it("stops when it is aborted", async () => {
    const abort = new AbortController();
    const loading = loadEncoder(program, relaxedModule, shardsInto(await source()), abort.signal);
    abort.abort(new Error("gone"));
    await expect(loading).rejects.toThrow("gone");
  });
});
