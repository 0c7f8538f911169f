import type { Backbone } from "../backbones/backbone.ts";
import { blocksFor, BLOCK_TOKENS, type KvBudget } from "./kv-budget.ts";
import type { PrefixCache } from "./prefix-cache.ts";

/**
 * The part of the cache that running sequences may take: what their backbone would have in memory with all of them at the
 * length that they have reserved. That is more than the sum where one array has the same room for each of them.
 */
export class CacheRoom {
  readonly #backbone: Pick<Backbone, "footprint" | "plan">;
  readonly #budget: KvBudget;
  readonly #prefixes: PrefixCache;
  /** Tokens that each has reserved, whole blocks. */
  readonly #lengths = new Map<object, number>();

  constructor(backbone: Pick<Backbone, "footprint" | "plan">, budget: KvBudget, prefixes: PrefixCache) {
    this.#backbone = backbone;
    this.#budget = budget;
    this.#prefixes = prefixes;
  }

  /** Tokens that a sequence may hold. */
  of(sequence: object): number {
    return this.#lengths.get(sequence) ?? 0;
  }

  /** Reserves `tokens` for each of some sequences, in place of what they have. False when that does not fit; they then keep what they have. */
  take(sequences: readonly object[], tokens: number): boolean {
    const wanted = new Map(this.#lengths);
    for (const sequence of sequences) wanted.set(sequence, blocksFor(tokens) * BLOCK_TOKENS);
    const lengths = [...wanted.values()];
    if (!this.#reserve(lengths) && !(this.#tighten() && this.#reserve(lengths))) return false;
    for (const [sequence, length] of wanted) this.#lengths.set(sequence, length);
    this.#backbone.plan(lengths, false);
    return true;
  }

  /** To be called when the backbone has closed its cache. */
  give(sequence: object): void {
    if (!this.#lengths.delete(sequence)) return;
    this.#backbone.plan([...this.#lengths.values()], false);
    this.#reserve([...this.#lengths.values()]);
  }

  #reserve(lengths: readonly number[]): boolean {
    return this.#budget.reserve(blocksFor(this.#backbone.footprint(lengths)), () => this.#prefixes.evict());
  }

  /** Gives back what sequences that are gone have left. False when even the copy for that finds no memory. */
  #tighten(): boolean {
    const lengths = [...this.#lengths.values()];
    try {
      this.#backbone.plan(lengths, true);
    } catch {
      return false;
    }
    return this.#reserve(lengths);
  }
}

/** Tokens that the cache has for each of `n` sequences while nothing else is in it: whole blocks, no more than `limit` needs. */
export function longestOf(backbone: Pick<Backbone, "footprint">, budget: KvBudget, n: number, limit: number): number {
  const fits = (blocks: number): boolean => {
    const lengths = Array.from({ length: n }, () => blocks * BLOCK_TOKENS);
    return blocksFor(backbone.footprint(lengths)) <= budget.total;
  };
  let [most, tooMany] = [0, blocksFor(limit) + 1];
  while (most + 1 < tooMany) {
    const middle = (most + tooMany) >> 1;
    if (fits(middle)) most = middle;
    else tooMany = middle;
  }
  return most * BLOCK_TOKENS;
}
