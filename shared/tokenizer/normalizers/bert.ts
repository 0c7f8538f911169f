import type { CharSet } from "../unicode/char-set.ts";
import { isWhiteSpace } from "../unicode/rust-classes.ts";
import type { AlignedText } from "./aligned-text.ts";
import type { Normalizer } from "./normalizer.ts";

const ASCII = /^[\x20-\x7E]*$/;

/** The first two steps of `BertNormalizer`: controls vanish and white space becomes a space; a space around each Han character. */
export class BertClean implements Normalizer {
  readonly #cleanText: boolean;
  readonly #handleChineseChars: boolean;
  readonly #controls: CharSet;

  constructor(cleanText: boolean, handleChineseChars: boolean, controls: CharSet) {
    this.#cleanText = cleanText;
    this.#handleChineseChars = handleChineseChars;
    this.#controls = controls;
  }

  apply(text: string): string {
    if (ASCII.test(text)) return text;
    let result = "";
    for (const character of text) {
      for (const codePoint of this.#of(character.codePointAt(0) ?? 0)) result += String.fromCodePoint(codePoint);
    }
    return result;
  }

  align(text: AlignedText): void {
    text.flatMap((codePoint) => this.#of(codePoint));
  }

  #of(codePoint: number): readonly number[] {
    if (this.#cleanText) {
      if (this.#controls.has(codePoint)) return [];
      if (isWhiteSpace(codePoint)) return [0x20];
    }
    return this.#handleChineseChars && isHan(codePoint) ? [0x20, codePoint, 0x20] : [codePoint];
  }
}

/** The blocks that BERT calls Chinese; a gap of 0x100 at U+2B820 is upstream's. */
function isHan(codePoint: number): boolean {
  return (
    (codePoint >= 0x4e00 && codePoint <= 0x9fff) ||
    (codePoint >= 0x3400 && codePoint <= 0x4dbf) ||
    (codePoint >= 0x20000 && codePoint <= 0x2a6df) ||
    (codePoint >= 0x2a700 && codePoint <= 0x2b81f) ||
    (codePoint >= 0x2b920 && codePoint <= 0x2ceaf) ||
    (codePoint >= 0xf900 && codePoint <= 0xfaff) ||
    (codePoint >= 0x2f800 && codePoint <= 0x2fa1f)
  );
}
