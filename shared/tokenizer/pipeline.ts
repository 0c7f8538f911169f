import type { PromptText } from "../chat-template/prompt-text.ts";
import { type AddedToken, readAddedToken } from "./added-tokens.ts";
import { type Accept, splitAtAddedTokens } from "./added-split.ts";
import { SECTION, TOKEN_FLAG } from "./format/layout.ts";
import type { RecordReader, Sections } from "./format/reader.ts";
import { readModel } from "./models/read.ts";
import type { Model } from "./models/model.ts";
import { AlignedText } from "./normalizers/aligned-text.ts";
import type { Normalizer } from "./normalizers/normalizer.ts";
import { readNormalizer } from "./normalizers/read.ts";
import { Utf16Positions } from "./offsets.ts";
import { type Alignment, Pieces } from "./pieces.ts";
import { type PreTokenizer, readPreTokenizer } from "./pre-tokenizers/pre-tokenizer.ts";
import { TokenList } from "./token-list.ts";
import { Trie } from "./trie.ts";
import { CharSet } from "./unicode/char-set.ts";
import { CharTable } from "./unicode/char-table.ts";
import { utf8Decoder, utf8Encoder, widthOf } from "./utf8.ts";
import type { Vocabulary } from "./vocabulary.ts";

export interface PipelineOptions {
  /** Whether `tokens` shall say where each token lies in the text, also when normalizers change it. */
  readonly tracked: boolean;
  /** Added tokens are text. */
  readonly asText?: boolean;
  /** The text is this prompt: control tokens are read only where its template wrote them. */
  readonly prompt?: PromptText;
}

/** Text to tokens: added tokens, normalizer, pre-tokenizer, model. Its buffers serve one text after the other. */
export class Pipeline {
  readonly addedTokens: readonly AddedToken[];
  readonly tokens = new TokenList();
  /** `\w`, for added tokens that are `single_word`; empty when there are none. */
  readonly words: CharSet;
  readonly #vocabulary: Vocabulary;
  readonly #contents: readonly Uint8Array[];
  readonly #trie: Trie;
  readonly #normalizedTrie: Trie;
  readonly #normalizers: readonly Normalizer[];
  /** No normalizer changes ASCII. */
  readonly #keepsAscii: boolean;
  readonly #preTokenizers: readonly PreTokenizer[];
  readonly #model: Model;
  readonly #pieces = new Pieces();
  #source = new Uint8Array(4096);
  #length = 0;
  #normalized = new Uint8Array(4096);
  #normalizedLength = 0;
  /** The buffer that the model remembers words of; undefined for one that is gone after its segment. */
  #remembered: "source" | "normalized" | undefined;

  constructor(record: RecordReader, sections: Sections, vocabulary: Vocabulary) {
    const table = new CharTable(sections.bytes(SECTION.categories));
    this.#vocabulary = vocabulary;
    this.addedTokens = record.list((r) => readAddedToken(r, vocabulary.size));
    this.words = CharSet.read(record);
    this.#contents = this.addedTokens.map(({ content }) => utf8Encoder.encode(content));
    this.#trie = new Trie(sections.ints(SECTION.addedTrie), this.addedTokens.length);
    this.#normalizedTrie = new Trie(sections.ints(SECTION.normalizedTrie), this.addedTokens.length);
    this.#normalizers = record.list((r) => readNormalizer(r, sections.bytes(SECTION.precompiled)));
    this.#keepsAscii = this.#normalizers.every(({ keepsAscii }) => keepsAscii === true);
    this.#preTokenizers = record.list((r) => readPreTokenizer(r, table));
    this.#model = readModel(record, sections, vocabulary);
  }

  /** Fills `tokens`; their places are bytes of `source`, or of no meaning when not tracked. */
  run(text: string, options: PipelineOptions): void {
    this.#fill(text);
    this.tokens.clear();
    this.#normalizedLength = 0;
    if (this.#normalized.length > 1 << 20) this.#normalized = new Uint8Array(4096);
    this.#remembered = undefined;
    if (options.asText === true) {
      this.#segment(0, this.#length, options, undefined);
      return;
    }
    const guard = options.prompt === undefined ? undefined : this.#guard(options.prompt);
    splitAtAddedTokens(this.#trie, this, 0, this.#length, guard, (token, start, end) => {
      if (token !== undefined) this.tokens.push(token.id, start, end);
      else this.#segment(start, end, options, guard);
    });
  }

  /** The text of the last `run` as UTF-8. */
  get bytes(): Uint8Array {
    return this.#source.subarray(0, this.#length);
  }

  /** What the model alone makes of one word. */
  runWord(word: Uint8Array): void {
    this.tokens.clear();
    this.#model.beginText();
    if (word.length > 0) this.#model.tokenize(word, 0, word.length, this.tokens);
  }

  /** Text as UTF-8; lone surrogates become U+FFFD. */
  #fill(text: string): void {
    // A code unit has at most three bytes.
    const needed = 3 * text.length;
    if (this.#source.length < needed || (this.#source.length > 1 << 20 && needed < 1 << 16)) {
      this.#source = new Uint8Array(Math.max(4096, needed));
    }
    this.#length = utf8Encoder.encodeInto(text, this.#source).written;
  }

  /** Text between added tokens: normalized, and cut again at those that are found in normalized text. */
  #segment(start: number, end: number, options: PipelineOptions, guard: Accept | undefined): void {
    const normalized = this.#normalize(start, end, options.tracked || guard !== undefined);
    const { bytes, alignment } = normalized;
    const emit = (token: AddedToken | undefined, from: number, to: number): void => {
      const first = this.tokens.length;
      if (token !== undefined) this.tokens.push(token.id, from, to);
      else {
        this.#pieces.reset(bytes, from, to, alignment);
        this.#pieces.tracked = options.tracked;
        this.#pieces.startByte = start === 0 ? normalized.start : -1;
        this.#plain(options.prompt !== undefined);
        if (this.#pieces.alignment !== alignment) {
          this.#locate(first, this.#pieces.alignment);
          return;
        }
      }
      this.#locate(first, alignment);
    };
    if (this.#normalizedTrie.empty || options.asText === true) {
      if (normalized.start < normalized.end) emit(undefined, normalized.start, normalized.end);
      return;
    }
    const accept =
      guard === undefined
        ? undefined
        : (token: AddedToken, from: number, to: number): boolean =>
            !token.control || this.#isWritten(token, from, to, alignment, guard);
    splitAtAddedTokens(
      this.#normalizedTrie,
      { addedTokens: this.addedTokens, bytes, words: this.words },
      normalized.start,
      normalized.end,
      accept,
      emit,
    );
  }

  /** A control token in normalized text counts only when it stands in the text itself, letter by letter. */
  #isWritten(token: AddedToken, from: number, to: number, alignment: Alignment | null, guard: Accept): boolean {
    const start = alignment === null ? from : alignment.starts[from];
    const end = alignment === null ? to : alignment.ends[to - 1];
    const content = this.#contents[this.addedTokens.indexOf(token)];
    if (end - start !== content.length) return false;
    for (let i = 0; i < content.length; i++) if (this.#source[start + i] !== content[i]) return false;
    return guard(token, start, end);
  }

  #normalize(start: number, end: number, tracked: boolean): NormalizedBytes {
    const same = { bytes: this.#source, start, end, alignment: null };
    if (this.#normalizers.length === 0) return same;
    if (this.#keepsAscii && isAscii(this.#source, start, end)) return same;
    if (tracked) {
      const text = AlignedText.of(this.#source, start, end);
      for (const normalizer of this.#normalizers) normalizer.align(text);
      const { bytes, alignment } = text.toBytes();
      return { bytes, start: 0, end: bytes.length, alignment };
    }
    const before = utf8Decoder.decode(this.#source.subarray(start, end));
    let text = before;
    for (const normalizer of this.#normalizers) text = normalizer.apply(text);
    if (text === before) return same;
    return this.#append(text);
  }

  /** Puts normalized text behind that of the segments before: in one buffer the model can remember the words of all. */
  #append(text: string): NormalizedBytes {
    const start = this.#normalizedLength;
    const needed = start + 3 * text.length;
    if (this.#normalized.length < needed) {
      const larger = new Uint8Array(2 * needed);
      larger.set(this.#normalized.subarray(0, start));
      this.#normalized = larger;
    }
    const { written } = utf8Encoder.encodeInto(text, this.#normalized.subarray(start));
    this.#normalizedLength = start + written;
    return { bytes: this.#normalized, start, end: start + written, alignment: null };
  }

  #plain(guarded: boolean): void {
    const pieces = this.#pieces;
    for (const preTokenizer of this.#preTokenizers) preTokenizer.apply(pieces);
    const { bytes, spans } = pieces;
    const { values, count } = spans;
    // The model remembers words by their place in one buffer; places that are tracked are moved to the source afterwards.
    const kept =
      bytes === this.#source ? "source" : bytes === this.#normalized && !pieces.tracked ? "normalized" : undefined;
    if (kept === undefined || kept !== this.#remembered) this.#model.beginText();
    this.#remembered = kept;
    for (let i = 0; i < count; i++) {
      const first = this.tokens.length;
      this.#model.tokenize(bytes, values[2 * i], values[2 * i + 1], this.tokens);
      if (guarded) this.#breakControlTokens(bytes, values[2 * i], values[2 * i + 1], first);
    }
  }

  /**
   * Some vocabularies hold their control tokens as words, so the model itself could make one from plain text. The word is
   * then cut after the token's first character, again and again, until none is made.
   */
  #breakControlTokens(bytes: Uint8Array, start: number, end: number, first: number): void {
    const { tokens } = this;
    const { flags } = this.#vocabulary;
    for (let i = first; i < tokens.length; i++) {
      if ((flags[tokens.ids[i]] & TOKEN_FLAG.control) === 0) continue;
      // A word of which the model knows nothing is no token that somebody wrote.
      if (tokens.ids[i] === this.#model.unknownId) continue;
      const from = tokens.starts[i];
      const cut = from + widthOf(bytes[from]);
      tokens.length = first;
      this.#model.beginText();
      if (start === from && cut >= end) return;
      for (const [begin, until] of start === from
        ? [
            [start, cut],
            [cut, end],
          ]
        : [
            [start, from],
            [from, end],
          ]) {
        const next = tokens.length;
        this.#model.tokenize(bytes, begin, until, tokens);
        this.#breakControlTokens(bytes, begin, until, next);
      }
      return;
    }
  }

  /** Places of tokens in the source, from places in a rewritten text. */
  #locate(first: number, alignment: Alignment | null): void {
    if (alignment === null) return;
    const { starts, ends, length } = this.tokens;
    for (let i = first; i < length; i++) {
      if (starts[i] >= ends[i]) continue;
      const start = alignment.starts[starts[i]];
      ends[i] = alignment.ends[ends[i] - 1];
      starts[i] = start;
    }
  }

  #guard(prompt: PromptText): Accept | undefined {
    const normalizedControls = this.#normalizers.length > 0 && this.addedTokens.some((t) => t.control && t.normalized);
    if (prompt.userRanges.length === 0 && !normalizedControls) return undefined;
    const positions = new Utf16Positions(this.#source, this.#length);
    return (token, start, end) => !token.control || prompt.isControl(positions.start(start), positions.end(end));
  }
}

interface NormalizedBytes {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly alignment: Alignment | null;
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] >= 0x80) return false;
  return true;
}
