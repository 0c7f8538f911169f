import { CharSet } from "../unicode/char-set.ts";
import { isWhiteSpace } from "../unicode/rust-classes.ts";
import { type AlignedText, codePointsOf } from "./aligned-text.ts";
import type { Normalizer } from "./normalizer.ts";

/** `char::to_lowercase` of each character: without the final sigma, which depends on what stands around it. */
export const lowercase: Normalizer = {
  apply: (text) => text.replaceAll("\u03A3", "\u03C3").toLowerCase(),
  align: (text) => text.flatMap(lowercaseOf),
};

function lowercaseOf(codePoint: number): readonly number[] {
  return codePointsOf(String.fromCodePoint(codePoint).toLowerCase());
}

/** White space at the ends. */
export class Strip implements Normalizer {
  readonly #left: boolean;
  readonly #right: boolean;

  constructor(left: boolean, right: boolean) {
    this.#left = left;
    this.#right = right;
  }

  apply(text: string): string {
    // White space is one code unit each, so code units do.
    const [start, end] = this.#ends(Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)));
    return text.slice(start, end);
  }

  align(text: AlignedText): void {
    const [start, end] = this.#ends(text.codePoints);
    text.codePoints = text.codePoints.slice(start, end);
    text.starts = text.starts.slice(start, end);
    text.ends = text.ends.slice(start, end);
  }

  #ends(codePoints: readonly number[]): [number, number] {
    let start = 0;
    let end = codePoints.length;
    if (this.#left) while (start < end && isWhiteSpace(codePoints[start])) start++;
    if (this.#right) while (end > start && isWhiteSpace(codePoints[end - 1])) end--;
    return [start, end];
  }
}

/** Leaves out characters of a set: accents of `StripAccents`. */
export class Remove implements Normalizer {
  readonly #set: CharSet;

  constructor(set: CharSet) {
    this.#set = set;
  }

  apply(text: string): string {
    let kept = "";
    for (const character of text) if (!this.#set.has(character.codePointAt(0) ?? 0)) kept += character;
    return kept;
  }

  align(text: AlignedText): void {
    text.filter((codePoint) => !this.#set.has(codePoint));
  }
}

const NMT_REMOVED = new CharSet(Int32Array.of(0x01, 0x08, 0x0b, 0x0b, 0x0e, 0x1f, 0x7f, 0x7f, 0x8f, 0x8f, 0x9f, 0x9f));
const NMT_SPACES = new CharSet(
  Int32Array.from(
    [
      [0x09, 0x0a],
      [0x0c, 0x0d],
      [0x1680, 0x1680],
      [0x200b, 0x200f],
      [0x2028, 0x2029],
      [0x2581, 0x2581],
      [0xfeff, 0xfeff],
      [0xfffd, 0xfffd],
    ].flat(),
  ),
);

/** SentencePiece's `nmt` rules: controls vanish, marks of direction and odd spaces become a space. */
export const nmt: Normalizer = {
  apply: (text) => {
    let result = "";
    for (const character of text)
      for (const c of nmtOf(character.codePointAt(0) ?? 0)) result += String.fromCodePoint(c);
    return result;
  },
  align: (text) => text.flatMap(nmtOf),
};

function nmtOf(codePoint: number): readonly number[] {
  return NMT_REMOVED.has(codePoint) ? [] : [NMT_SPACES.has(codePoint) ? 0x20 : codePoint];
}
