/** Tokens of one cache block: what is accounted, hashed and reused as one. */
export const BLOCK_TOKENS = 16;

export function blocksFor(tokens: number): number {
  return Math.ceil(tokens / BLOCK_TOKENS);
}

/**
 * Accounts the key/value cache in blocks. A sequence reserves its worst case (prompt and `max_tokens`) when it is
 * admitted, so a running one never has to be thrown out: on the CPU its recomputation would not be bit-equal. What is
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
   * Takes blocks for a sequence.
   * @param evict frees one cached block and says whether it could
   */
  reserve(blocks: number, evict: () => boolean): boolean {
    if (this.#reserved + blocks > this.total) return false;
    while (this.#reserved + this.#cached + blocks > this.total) if (!evict()) return false;
    this.#reserved += blocks;
    return true;
  }

  release(blocks: number): void {
    this.#reserved -= blocks;
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
