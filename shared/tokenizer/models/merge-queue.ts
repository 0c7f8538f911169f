/**
 * Candidate merges of a long word, lowest rank first and the leftmost of equal ones, as a binary heap. A key is
 * rank * 2^22 + position: one number orders both, exactly, while ranks stay below 2^31 and words below 2^22 symbols.
 */
export class MergeQueue {
  #keys = new Float64Array(1024);
  #size = 0;

  static readonly MAX_SYMBOLS = 1 << 22;

  get size(): number {
    return this.#size;
  }

  clear(): void {
    this.#size = 0;
    if (this.#keys.length > 1 << 16) this.#keys = new Float64Array(1024);
  }

  push(rank: number, position: number): void {
    if (this.#size === this.#keys.length) {
      const larger = new Float64Array(this.#keys.length * 2);
      larger.set(this.#keys);
      this.#keys = larger;
    }
    const keys = this.#keys;
    const key = rank * MergeQueue.MAX_SYMBOLS + position;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (keys[parent] <= key) break;
      keys[at] = keys[parent];
      at = parent;
    }
    keys[at] = key;
  }

  /** The first key; `size` is not 0. */
  pop(): number {
    const keys = this.#keys;
    const first = keys[0];
    const last = keys[--this.#size];
    const size = this.#size;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && keys[child + 1] < keys[child]) child++;
      if (keys[child] >= last) break;
      keys[at] = keys[child];
      at = child;
    }
    keys[at] = last;
    return first;
  }
}
