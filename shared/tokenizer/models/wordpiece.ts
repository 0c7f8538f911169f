import { malformed, type RecordReader } from "../format/reader.ts";
import { hashBytes } from "../hash.ts";
import type { TokenList } from "../token-list.ts";
import { utf8Encoder, widthOf } from "../utf8.ts";
import { ID_MASK, type Vocabulary } from "../vocabulary.ts";
import type { Model } from "./model.ts";

/** WordPiece (`models/wordpiece/mod.rs`): the longest token at each place, or the whole word unknown. */
export class WordPiece implements Model {
  readonly #vocabulary: Vocabulary;
  readonly unknownId: number;
  readonly #prefix: Uint8Array;
  readonly #maxChars: number;
  /** The prefix, then the word: the prefix moves along, over what is done. */
  #scratch = new Uint8Array(512);

  constructor(record: RecordReader, vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    this.unknownId = record.u32();
    this.#prefix = utf8Encoder.encode(record.string());
    this.#maxChars = record.u32();
    if (this.unknownId >= vocabulary.size) throw malformed("the unknown token is not there");
  }

  beginText(): void {
    // A word is cut in a time that is bounded by `max_input_chars_per_word`, so nothing is remembered.
  }

  tokenize(bytes: Uint8Array, start: number, end: number, out: TokenList): void {
    const first = out.length;
    if (this.#isTooLong(bytes, start, end) || !this.#cut(bytes, start, end, out)) {
      out.length = first;
      out.push(this.unknownId, start, end);
    }
  }

  #isTooLong(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start <= this.#maxChars) return false;
    let characters = 0;
    for (let at = start; at < end && characters <= this.#maxChars; at += widthOf(bytes[at])) characters++;
    return characters > this.#maxChars;
  }

  #cut(bytes: Uint8Array, start: number, end: number, out: TokenList): boolean {
    const prefix = this.#prefix;
    const shift = prefix.length - start;
    if (this.#scratch.length < prefix.length + end - start)
      this.#scratch = new Uint8Array(2 * (prefix.length + end - start));
    const scratch = this.#scratch;
    for (let i = start; i < end; i++) scratch[i + shift] = bytes[i];
    for (let at = start; at < end;) {
      let from = at + shift;
      if (at > start) {
        from -= prefix.length;
        scratch.set(prefix, from);
      }
      let last = end;
      let found = -1;
      while (last > at) {
        found = this.#vocabulary.find(scratch, from, last + shift, hashBytes(scratch, from, last + shift));
        if (found !== -1) break;
        last--;
        while (last > at && (bytes[last] & 0xc0) === 0x80) last--;
      }
      if (found === -1) return false;
      out.push(found & ID_MASK, at, last);
      at = last;
    }
    return true;
  }
}

/** `WordLevel`: the word or the unknown token. */
export class WordLevel implements Model {
  readonly #vocabulary: Vocabulary;
  readonly #unkId: number;

  constructor(record: RecordReader, vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    this.#unkId = record.u32();
    if (this.#unkId >= vocabulary.size) throw malformed("the unknown token is not there");
  }

  beginText(): void {
    // Nothing is remembered.
  }

  tokenize(bytes: Uint8Array, start: number, end: number, out: TokenList): void {
    const found = this.#vocabulary.find(bytes, start, end, hashBytes(bytes, start, end));
    out.push(found === -1 ? this.#unkId : found & ID_MASK, start, end);
  }
}
