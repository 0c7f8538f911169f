import { buildTrie, Trie } from "../tokenizer/trie.ts";
import { utf8Decoder, utf8Encoder, widthOf } from "../tokenizer/utf8.ts";

/**
 * The contents of all control tokens of a tokenizer, ready to be looked for in user text. Flat tables: Gemma has 6,000 of
 * them, and a search must stay linear in the text.
 */
export class ControlTokens {
  readonly #exact: Trie;
  readonly #folded: Trie;
  readonly #reversed: Trie;
  readonly #foldedContents: readonly string[];
  readonly #longest: number;

  constructor(contents: readonly string[]) {
    const folded = [...new Set(contents.map(fold))];
    this.#exact = trieOf(contents);
    this.#folded = trieOf(folded);
    this.#reversed = trieOf(folded.map(reverse));
    this.#foldedContents = folded;
    this.#longest = Math.max(0, ...folded.map((content) => Array.from(content).length));
  }

  /**
   * Whether a control token can have a part in this text: the text holds one, is a part of one, ends as one begins or begins
   * as one ends. Case and white space are ignored, since templates change those (`upper`, `trim`).
   */
  touches(text: string): boolean {
    const folded = fold(text);
    if (folded === "") return false;
    const bytes = utf8Encoder.encode(folded);
    for (let at = 0; at < bytes.length; at += widthOf(bytes[at])) {
      // Held, or cut off by the end of the text.
      if (this.#folded.match(bytes, at, bytes.length) > 0 || this.#folded.isPrefix(bytes, at, bytes.length))
        return true;
    }
    const head = Array.from(folded.slice(0, 2 * this.#longest)).slice(0, this.#longest);
    for (let length = 1; length <= head.length; length++) {
      const start = utf8Encoder.encode(head.slice(0, length).toReversed().join(""));
      if (this.#reversed.isPrefix(start, 0, start.length)) return true;
    }
    return head.length < this.#longest && this.#foldedContents.some((content) => content.includes(folded));
  }

  /** The text with `mark` after the first character of every control token that it holds. */
  breakUp(text: string, mark: string): string {
    const bytes = utf8Encoder.encode(text);
    let result = "";
    let done = 0;
    for (let at = 0; at < bytes.length; at += widthOf(bytes[at])) {
      if (this.#exact.match(bytes, at, bytes.length) === 0) continue;
      const cut = at + widthOf(bytes[at]);
      result += utf8Decoder.decode(bytes.subarray(done, cut)) + mark;
      done = cut;
    }
    return result + utf8Decoder.decode(bytes.subarray(done));
  }
}

function trieOf(contents: readonly string[]): Trie {
  return new Trie(
    buildTrie(contents.filter((content) => content !== "").map((content, i) => [utf8Encoder.encode(content), i])),
    contents.length,
  );
}

function fold(text: string): string {
  return text.toLowerCase().replace(/\s+/g, "");
}

function reverse(text: string): string {
  return Array.from(text).toReversed().join("");
}
