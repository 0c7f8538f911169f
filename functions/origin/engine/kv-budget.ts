import { kvBytesPerToken, type BackboneSpec } from "../backbones/spec.ts";

/** Tokens of one cache block: what is accounted, hashed and reused as one. */
export const BLOCK_TOKENS = 16;

/**
 * Tokens that an answer without `max_tokens` reserves when it is admitted, and so gets whatever else comes. Most answers end
 * within them; the whole context of each would leave most of the cache empty.
 */
export const OPEN_TOKENS = 512;

export function blocksFor(tokens: number): number {
  return Math.ceil(tokens / BLOCK_TOKENS);
}

/** Blocks that fit into `kvBytes`. */
export function blocksIn(kvBytes: number, spec: BackboneSpec): number {
  return Math.floor(kvBytes / (kvBytesPerToken(spec) * BLOCK_TOKENS));
}

/**
 * Accounts the key/value cache in blocks. A sequence reserves its worst case (prompt and `max_tokens`) when it is
 * admitted, so a running one never has to be thrown out: on the CPU its recomputation would not be bit-equal. One
 * without `max_tokens` reserves `OPEN_TOKENS` and then block by block. What is
 * not reserved holds reusable prefixes, which give way to sequences.
 */
export class KvBudget {
  readonly total: number;
  #reserved = 0;
  #cached = 0;

  constructor(total: number) {
    this.total = total;
  }

  get reserved(): number {
    return this.#reserved;
  }

  get cached(): number {
    return this.#cached;
  }

  /**
   * Reserves so many blocks for all sequences together, in place of what was reserved.
   * @param evict frees one cached block and says whether it could
   */
  reserve(blocks: number, evict: () => boolean): boolean {
    if (blocks > this.total) return false;
    while (blocks + this.#cached > this.total) if (!evict()) return false;
    this.#reserved = blocks;
    return true;
  }

  /** Takes one block for a prefix; false when all are in use. */
  keep(): boolean {
    if (this.#reserved + this.#cached >= this.total) return false;
    this.#cached++;
    return true;
  }

  drop(): void {
    this.#cached--;
  }
}
