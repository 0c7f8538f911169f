import { describe, expect, it } from "vitest";
import { SlotCache, type SlotSequence } from "../backbones/slot-cache.ts";
import type { BackboneSpec } from "../backbones/spec.ts";
import { uniform } from "./sampling/random.ts";
import { blockHashes } from "./block-hash.ts";
import { BLOCK_TOKENS, blocksFor, KvBudget } from "./kv-budget.ts";
import { chunkLength } from "./prompt.ts";

describe("KvBudget", () => {
  it("evicts prefixes for sequences, and refuses what cannot fit", () => {
    const budget = new KvBudget(10);
    const kept = Array.from({ length: 6 }, () => budget.keep());
    expect(kept).toEqual([true, true, true, true, true, true]);
    const evict = (): boolean => {
      if (budget.cached === 0) return false;
      budget.drop();
      return true;
    };
    expect(budget.reserve(8, evict)).toBe(true);
    expect(budget.cached).toBe(2);
    expect(budget.keep()).toBe(false);
    expect(budget.reserve(11, evict)).toBe(false);
    expect(budget.cached).toBe(2);
    expect(budget.reserve(10, evict)).toBe(true);
    expect(budget.cached).toBe(0);
    expect(budget.reserve(0, evict)).toBe(true);
    expect(budget.reserved).toBe(0);
    expect(blocksFor(BLOCK_TOKENS + 1)).toBe(2);
  });
});

describe("blockHashes", () => {
  const tokenIds = Int32Array.from({ length: 3 * BLOCK_TOKENS }, (_, i) => i);
  const feature = { hash: "a".repeat(64), offset: BLOCK_TOKENS + 2, length: 4, row: 0, rows: new Float32Array(0) };
  const base = { tokenIds, features: [feature], salt: "s" };
  const hashes = blockHashes(base);

  it("chains: a change shows in its block and all after it", () => {
    const changed = tokenIds.slice();
    changed[BLOCK_TOKENS] = 999;
    const other = blockHashes({ ...base, tokenIds: changed });
    expect(other[0]).toBe(hashes[0]);
    expect(other[1]).not.toBe(hashes[1]);
    expect(other[2]).not.toBe(hashes[2]);
  });

  it.each([
    ["another salt", { ...base, salt: "t" }, 0],
    ["another picture", { ...base, features: [{ ...feature, hash: "b".repeat(64) }] }, 1],
    ["other rows of the picture", { ...base, features: [{ ...feature, row: 1 }] }, 1],
    ["fewer rows of the picture", { ...base, features: [{ ...feature, length: 3 }] }, 1],
    ["the picture one place on", { ...base, features: [{ ...feature, offset: BLOCK_TOKENS + 3 }] }, 1],
    ["no picture", { ...base, features: [] }, 1],
  ])("%s changes the names from block %#", (_name, change, from) => {
    blockHashes(change).forEach((hash, i) => expect(hash === hashes[i]).toBe(i < from));
  });

  it("names full blocks only", () => {
    expect(blockHashes({ ...base, tokenIds: tokenIds.slice(0, 2 * BLOCK_TOKENS - 1) })).toHaveLength(1);
  });
});

describe("chunkLength", () => {
  it("covers every prompt in chunks of which none has one token, but for prompts of one", () => {
    for (let length = 1; length < 70; length++) {
      for (const budget of [0, 1, 2, 3, 16, 64]) {
        let left = length;
        while (left > 0) {
          const chunk = chunkLength(left, budget);
          expect(chunk).toBeGreaterThan(length === 1 ? 0 : 1);
          expect(chunk).toBeLessThanOrEqual(Math.max(budget, 2) + 1);
          left -= chunk;
        }
        expect(left).toBe(0);
      }
    }
  });
});

describe("SlotCache", () => {
  const spec: BackboneSpec = {
    layout: "rows",
    layers: 2,
    kvHeads: 3,
    headDim: 4,
    hiddenSize: 8,
    vocabSize: 16,
    maxPositions: 4096,
    eosTokenIds: [],
    positions: "sequential",
    cacheType: "float32",
    mergeSize: 2,
    imageTokenId: null,
    entangled: false,
    attention: "causal",
    firstPosition: 0,
  } as const;
  /** A block of `count` tokens whose every value tells whose it is. */
  const block = (mark: number, count: number): Float32Array =>
    Float32Array.from({ length: 4 * 3 * count * 4 }, (_, i) => mark + i / 100_000);

  it("keeps every sequence's rows while others come, grow, move and go", () => {
    const cache = new SlotCache(spec, 8);
    const open = [1, 2, 3, 4, 5].map((mark) => {
      const sequence = cache.open(10);
      cache.appendBlock(sequence, block(mark, 5), 5);
      return { mark, sequence };
    });
    const [a, b, c, d, e] = open;
    if (!a || !b || !c || !d || !e) throw new Error("five were opened");
    cache.close(b.sequence);
    cache.appendBlock(c.sequence, block(30, 300), 300);
    const arranged = cache.arrange([e.sequence, c.sequence, a.sequence]);
    expect(arranged.map(({ slot }) => slot)).toEqual([0, 1, 2]);
    for (const { mark, sequence } of [a, c, d, e]) expect(cache.readBlock(sequence, 0, 5)).toEqual(block(mark, 5));
    expect(cache.readBlock(c.sequence, 5, 300)).toEqual(block(30, 300));
    expect(cache.room % 128).toBe(0);
    for (const { sequence } of [a, c, d, e]) cache.close(sequence);
    expect(cache.bytes).toBe(0);
  });

  it.each([0, 3])("is what it was when memory for more runs out at tensor %i", (at) => {
    const cache = new SlotCache(spec, 8);
    const open = [1, 2].map((mark) => {
      const sequence = cache.open(10);
      cache.appendBlock(sequence, block(mark, 5), 5);
      return { mark, sequence };
    });
    const { bytes } = cache;
    let made = 0;
    const real = globalThis.Float32Array;
    globalThis.Float32Array = new Proxy(real, {
      construct(target, [size, ...rest]: unknown[], self) {
        if (typeof size === "number" && made++ === at) throw new RangeError("Array buffer allocation failed");
        return Reflect.construct(target, [size, ...rest], self === globalThis.Float32Array ? target : self) as object;
      },
    });
    try {
      expect(() => cache.open(4000)).toThrow("allocation failed");
    } finally {
      globalThis.Float32Array = real;
    }
    expect(cache.bytes).toBe(bytes);
    for (const { mark, sequence } of open) expect(cache.readBlock(sequence, 0, 5)).toEqual(block(mark, 5));
    cache.open(4000);
    for (const { mark, sequence } of open) expect(cache.readBlock(sequence, 0, 5)).toEqual(block(mark, 5));
  });

  it("takes no more memory than it said, whatever comes, grows and goes, and gives back what long ones left", () => {
    const perPosition = 4 * spec.kvHeads * spec.headDim * Float32Array.BYTES_PER_ELEMENT;
    const cache = new SlotCache(spec, 16);
    const lengths = new Map<SlotSequence, number>();
    let drawn = 0;
    const next = (): number => uniform(11, 0, drawn++);
    const marks = new Map<SlotSequence, number>();
    for (let step = 0; step < 400; step++) {
      const [oldest] = lengths.keys();
      if (oldest !== undefined && (lengths.size === 16 || next() < 0.4)) {
        cache.close(oldest);
        lengths.delete(oldest);
      }
      const length = next() < 0.1 ? 4000 : 16 + Math.floor(next() * 600);
      const wanted = [...lengths.values(), length];
      if (step % 10 === 9) cache.plan([...lengths.values()], true);
      const said = cache.footprint(wanted);
      cache.plan(wanted, false);
      const opened = cache.open(Math.min(length, 64));
      lengths.set(opened, length);
      marks.set(opened, step);
      cache.appendBlock(opened, block(step, 5), 5);
      const grow = [...lengths].find(([{ held }, most]) => held + 300 <= most);
      if (grow !== undefined) cache.appendBlock(grow[0], block(0, 300), 300);
      expect(cache.bytes).toBeLessThanOrEqual(said * perPosition);
      for (const one of lengths.keys()) expect(cache.readBlock(one, 0, 5)).toEqual(block(marks.get(one) ?? -1, 5));
    }
    for (const [sequence, length] of lengths) {
      if (length < 4000) continue;
      cache.close(sequence);
      lengths.delete(sequence);
    }
    cache.plan([...lengths.values()], true);
    expect(cache.room).toBeLessThanOrEqual(640);
  });

  it("refuses a slot that is not there, and a sequence that was closed", () => {
    const cache = new SlotCache(spec, 1);
    const only = cache.open(1);
    expect(() => cache.open(1)).toThrow(RangeError);
    cache.close(only);
    expect(() => cache.close(only)).toThrow(TypeError);
    expect(() => cache.arrange([only])).toThrow(TypeError);
  });
});
