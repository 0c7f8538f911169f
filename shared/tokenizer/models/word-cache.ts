import type { TokenList } from "../token-list.ts";

const SLOTS = 4096;

/**
 * Words of the present text that were cut before: natural text repeats its rare words. It holds positions, not words: where
 * in the buffer a word stood and where in the list its tokens are, so it never grows. It lives as long as one buffer:
 * nothing of one request is there when the next one comes.
 */
export class WordCache {
  readonly #generations = new Uint32Array(SLOTS);
  readonly #hashes = new Int32Array(SLOTS);
  readonly #starts = new Int32Array(SLOTS);
  readonly #lengths = new Int32Array(SLOTS);
  readonly #firsts = new Int32Array(SLOTS);
  readonly #counts = new Int32Array(SLOTS);
  #generation = 1;

  forget(): void {
    this.#generation = (this.#generation + 1) >>> 0;
    if (this.#generation === 0) {
      this.#generations.fill(0);
      this.#generation = 1;
    }
  }

  /** Appends the tokens of the same word when it was seen. */
  repeat(bytes: Uint8Array, start: number, end: number, hash: number, out: TokenList): boolean {
    const slot = hash & (SLOTS - 1);
    if (this.#generations[slot] !== this.#generation || this.#hashes[slot] !== hash) return false;
    const length = end - start;
    if (this.#lengths[slot] !== length) return false;
    const seen = this.#starts[slot];
    for (let i = 0; i < length; i++) if (bytes[seen + i] !== bytes[start + i]) return false;
    const first = this.#firsts[slot];
    const shift = start - seen;
    for (let i = first, last = first + this.#counts[slot]; i < last; i++) {
      out.push(out.ids[i], out.starts[i] + shift, out.ends[i] + shift);
    }
    return true;
  }

  /** Remembers that the word's tokens are the last ones of the list, from `first` on. */
  remember(start: number, end: number, hash: number, first: number, count: number): void {
    const slot = hash & (SLOTS - 1);
    this.#generations[slot] = this.#generation;
    this.#hashes[slot] = hash;
    this.#starts[slot] = start;
    this.#lengths[slot] = end - start;
    this.#firsts[slot] = first;
    this.#counts[slot] = count;
  }
}
