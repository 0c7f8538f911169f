import { widthOf } from "./utf8.ts";

/**
 * UTF-16 positions of a text by its bytes: for every byte where its character begins, and where it ends. A surrogate pair is
 * four bytes.
 */
export class Utf16Positions {
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;

  constructor(bytes: Uint8Array, length: number) {
    this.#starts = new Int32Array(length);
    this.#ends = new Int32Array(length);
    let unit = 0;
    for (let at = 0; at < length;) {
      const width = widthOf(bytes[at]);
      const units = width === 4 ? 2 : 1;
      this.#starts.fill(unit, at, at + width);
      this.#ends.fill(unit + units, at, at + width);
      unit += units;
      at += width;
    }
  }

  start(byte: number): number {
    return byte < this.#starts.length ? this.#starts[byte] : (this.#ends.at(-1) ?? 0);
  }

  /** Where the character ends that holds the byte before `byte`. */
  end(byte: number): number {
    return byte === 0 ? 0 : this.#ends[byte - 1];
  }
}
