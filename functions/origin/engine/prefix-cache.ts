import type { Backbone, KvSequence } from "../backbones/backbone.ts";
import type { CacheArray } from "../backbones/cache-array.ts";
import { BLOCK_TOKENS, type KvBudget } from "./kv-budget.ts";

/**
 * A prompt's last chunk keeps at least this many tokens: the products of one row take another kernel, which moves the
 * logits, while chunks of two and more are bit-equal to the whole prompt.
 */
export const MIN_CHUNK_TOKENS = 2;

/**
 * Blocks of earlier prompts by their chained hash, copied into a sequence that begins the same way. Blocks of prompts
 * only: rows that were computed one token at a time differ in their last bits from those of a prefill.
 */
export class PrefixCache {
  /** In the order of use, the longest unused first. */
  readonly #blocks = new Map<string, CacheArray>();
  readonly #budget: KvBudget;
  /** Blocks of which a prefix has a multiple. */
  readonly #step: number;
  hits = 0;
  lookups = 0;

  /** @param grain tokens of which a prefix has a multiple, itself one of a block's; null: a block's */
  constructor(budget: KvBudget, grain: number | null = null) {
    this.#budget = budget;
    this.#step = (grain ?? BLOCK_TOKENS) / BLOCK_TOKENS;
  }

  get size(): number {
    return this.#blocks.size;
  }

  /** Copies the longest known beginning of a prompt into an empty cache. Returns its tokens. */
  restore(backbone: Backbone, kv: KvSequence, hashes: readonly string[], promptTokens: number): number {
    const usable = Math.floor((promptTokens - MIN_CHUNK_TOKENS) / BLOCK_TOKENS);
    let count = 0;
    while (count < Math.min(usable, hashes.length) && this.#blocks.has(hashes[count] ?? "")) count++;
    count -= count % this.#step;
    this.lookups += promptTokens;
    if (count === 0) return 0;
    const found = hashes.slice(0, count).map((hash) => this.#use(hash));
    backbone.appendBlocks(kv, found, BLOCK_TOKENS);
    this.hits += count * BLOCK_TOKENS;
    return count * BLOCK_TOKENS;
  }

  /** Keeps the full blocks among the first `tokens` positions of a sequence. */
  keep(backbone: Backbone, kv: KvSequence, hashes: readonly string[], tokens: number): void {
    const full = Math.min(hashes.length, Math.floor(tokens / BLOCK_TOKENS));
    // From the end to the start: a use moves a block to the young end, and a prefix must outlive what builds on it.
    for (let index = full - 1; index >= 0; index--) {
      const hash = hashes[index] ?? "";
      if (this.#blocks.has(hash)) {
        this.#use(hash);
        continue;
      }
      if (!this.#budget.keep()) {
        if (!this.evict() || !this.#budget.keep()) return;
      }
      this.#blocks.set(hash, backbone.readBlock(kv, index * BLOCK_TOKENS, BLOCK_TOKENS));
    }
  }

  /** Drops the block that was not used for longest. */
  evict(): boolean {
    const [oldest] = this.#blocks.keys();
    if (oldest === undefined) return false;
    this.#blocks.delete(oldest);
    this.#budget.drop();
    return true;
  }

  clear(): void {
    while (this.evict());
  }

  #use(hash: string): CacheArray {
    const block = this.#blocks.get(hash);
    if (block === undefined) throw new RangeError("a prefix block vanished while it was used");
    this.#blocks.delete(hash);
    this.#blocks.set(hash, block);
    return block;
  }
}
