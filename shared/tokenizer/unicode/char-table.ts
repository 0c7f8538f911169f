import { malformed } from "../format/reader.ts";
import { CATEGORY_COUNT, CATEGORY_NAMES, CODE_POINTS } from "./categories.ts";

/** Classes that the scanners ask for, as bits. */
export const LETTER = 1;
export const NUMBER = 2;
export const SPACE = 4;
export const NEWLINE = 8;
export const MARK = 16;
/** Lu, Lt, Lm, Lo, M: the first half of a word in o200k. */
export const UPPER = 32;
/** Ll, Lm, Lo, M: the second half of a word in o200k. */
export const LOWER = 64;
/** P or S. */
export const SYMBOL = 128;

const BITS = Uint8Array.from(CATEGORY_NAMES, (name) => {
  let bits = 0;
  if (name.startsWith("L")) bits |= LETTER;
  if (name.startsWith("N") && name !== "NEWLINE") bits |= NUMBER;
  if (name.startsWith("M")) bits |= MARK | UPPER | LOWER;
  if (name === "NEWLINE") bits |= SPACE | NEWLINE;
  if (name.startsWith("Z") || name === "SPACE") bits |= SPACE;
  if (name === "Lu" || name === "Lt") bits |= UPPER;
  if (name === "Ll") bits |= LOWER;
  if (name === "Lm" || name === "Lo") bits |= UPPER | LOWER;
  if (name !== "SPACE" && (name.startsWith("P") || name.startsWith("S"))) bits |= SYMBOL;
  return bits;
});

const BLOCKS = CODE_POINTS / 256;

/** Classes of code points, from the two-stage table of the compiled file. */
export class CharTable {
  readonly #index: Uint8Array;
  readonly #categories: Uint8Array;
  readonly #bits: Uint8Array;

  constructor(table: Uint8Array) {
    if (table.length <= BLOCKS || (table.length - BLOCKS) % 256 !== 0)
      throw malformed("the character table is cut off");
    this.#index = table.subarray(0, BLOCKS);
    this.#categories = table.subarray(BLOCKS);
    const blocks = this.#categories.length / 256;
    for (const block of this.#index)
      if (block >= blocks) throw malformed("a block of the character table is not there");
    this.#bits = new Uint8Array(this.#categories.length);
    for (let i = 0; i < this.#bits.length; i++) {
      if (this.#categories[i] >= CATEGORY_COUNT) throw malformed("a character has no category");
      this.#bits[i] = BITS[this.#categories[i]];
    }
  }

  /** Class bits of a code point. */
  bits(codePoint: number): number {
    return this.#bits[(this.#index[codePoint >> 8] << 8) | (codePoint & 255)];
  }

  /** Index into CATEGORY_NAMES. */
  category(codePoint: number): number {
    return this.#categories[(this.#index[codePoint >> 8] << 8) | (codePoint & 255)];
  }
}
