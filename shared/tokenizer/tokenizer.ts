import type { PromptText } from "../chat-template/prompt-text.ts";
import { type AddedToken, readAddedToken } from "./added-tokens.ts";
import { type Accept, splitAtAddedTokens } from "./added-split.ts";
import { type Decoder, readDecoder } from "./decoders/decoder.ts";
import { IncrementalDetokenizer } from "./detokenizer.ts";
import type { EncodeOptions, Encoding } from "./encoding.ts";
import { SECTION, TOKEN_FLAG } from "./format/layout.ts";
import { malformed, RecordReader, Sections } from "./format/reader.ts";
import { Bpe } from "./models/bpe.ts";
import type { Model } from "./models/model.ts";
import { Utf16Positions } from "./offsets.ts";
import { Pieces } from "./pieces.ts";
import { type PreTokenizer, readPreTokenizer } from "./pre-tokenizers/pre-tokenizer.ts";
import { TokenList } from "./token-list.ts";
import { Trie } from "./trie.ts";
import { CharTable } from "./unicode/char-table.ts";
import { utf8Encoder, widthOf } from "./utf8.ts";
import { Vocabulary } from "./vocabulary.ts";

export interface DecodeOptions {
  /** Leaves out added tokens that are special. Default false. */
  readonly skipSpecialTokens?: boolean;
}

/**
 * A tokenizer of a release, over the tables of its compiled file. Gives the ids of the Rust `tokenizers`. Synchronous and not
 * re-entrant: its buffers serve one text after the other.
 */
export class Tokenizer {
  readonly #vocabulary: Vocabulary;
  readonly #addedTokens: readonly AddedToken[];
  readonly #addedIds: ReadonlyMap<string, number>;
  readonly #trie: Trie;
  readonly #preTokenizers: readonly PreTokenizer[];
  readonly #model: Model;
  readonly #decoder: Decoder;
  readonly #tokens = new TokenList();
  readonly #pieces = new Pieces();
  #buffer = new Uint8Array(4096);

  private constructor(file: Uint8Array) {
    const sections = new Sections(file);
    const record = new RecordReader(sections.bytes(SECTION.pipeline));
    const table = new CharTable(sections.bytes(SECTION.categories));
    this.#vocabulary = new Vocabulary(sections, record.bool());
    const { size } = this.#vocabulary;
    this.#addedTokens = record.list((r) => readAddedToken(r, size));
    this.#addedIds = new Map(this.#addedTokens.map(({ content, id }) => [content, id]));
    this.#trie = new Trie(sections.ints(SECTION.addedTrie), this.#addedTokens.length);
    this.#preTokenizers = record.list((r) => readPreTokenizer(r, table));
    this.#model = new Bpe(record, sections, this.#vocabulary);
    this.#decoder = readDecoder(record);
  }

  /**
   * Opens a compiled file, without a copy when the bytes lie at a multiple of 8. Throws `release_unavailable` when the file
   * is broken or of another version.
   */
  static load(bytes: Uint8Array): Tokenizer {
    try {
      return new Tokenizer(bytes);
    } catch (error) {
      if (error instanceof RangeError) throw malformed("a table is too small");
      throw error;
    }
  }

  /** Number of ids: the largest is one less. */
  get vocabSize(): number {
    return this.#vocabulary.size;
  }

  /** Contents of the tokens that plain text never makes: what chat templates guard against user text. */
  get controlTokens(): readonly string[] {
    return this.#addedTokens.filter(({ control }) => control).map(({ content }) => content);
  }

  tokenToId(token: string): number | undefined {
    return this.#addedIds.get(token) ?? this.#vocabulary.idOf(token);
  }

  idToToken(id: number): string | undefined {
    return this.#vocabulary.has(id) ? this.#vocabulary.stringOf(id) : undefined;
  }

  /** Ids of a text. Added tokens in the text are recognised: for text of users, render a prompt and use `encodePrompt`. */
  encode(text: string, options: EncodeOptions = {}): Encoding {
    const length = this.#fill(text);
    this.#run(length, undefined, false);
    return {
      ids: this.#tokens.ids.slice(0, this.#tokens.length),
      offsets: options.offsets === true ? this.#offsets(length) : new Int32Array(0),
    };
  }

  /** Ids of a rendered prompt, never cut or padded. Control tokens are read only where the template wrote them. */
  encodePrompt(prompt: PromptText, options: Pick<EncodeOptions, "addSpecialTokens"> = {}): Int32Array {
    const before = prompt.before === "" ? [] : this.encode(prompt.before, { addSpecialTokens: false }).ids;
    const length = this.#fill(prompt.text);
    this.#run(length, this.#guard(prompt, length), true);
    void options;
    const ids = new Int32Array(before.length + this.#tokens.length);
    ids.set(before);
    ids.set(this.#tokens.ids.subarray(0, this.#tokens.length), before.length);
    return ids;
  }

  /** Ids of a text in which nothing is an added token. */
  encodeAsText(text: string): Int32Array {
    const length = this.#fill(text);
    this.#tokens.clear();
    this.#model.beginText();
    this.#encodePlain(0, length, false);
    return this.#tokens.ids.slice(0, this.#tokens.length);
  }

  /** Ids that the model alone makes of one word, given as the bytes of the vocabulary. */
  encodeWord(word: Uint8Array): Int32Array {
    this.#tokens.clear();
    this.#model.beginText();
    if (word.length > 0) this.#model.tokenize(word, 0, word.length, this.#tokens);
    return this.#tokens.ids.slice(0, this.#tokens.length);
  }

  /** Text of ids. Ids without a token are left out, as upstream. */
  decode(ids: Iterable<number>, options: DecodeOptions = {}): string {
    const detokenizer = this.detokenizer(options);
    let text = "";
    for (const id of ids) text += detokenizer.push(id);
    return text + detokenizer.end();
  }

  /** Text of a stream of ids: what it gives in all equals `decode` of all ids, after every id. */
  detokenizer(options: DecodeOptions = {}): IncrementalDetokenizer {
    return new IncrementalDetokenizer(this.#vocabulary, this.#decoder, options.skipSpecialTokens === true);
  }

  /** Text into the buffer as UTF-8; lone surrogates become U+FFFD. */
  #fill(text: string): number {
    // A code unit has at most three bytes.
    const needed = 3 * text.length;
    if (this.#buffer.length < needed || (this.#buffer.length > 1 << 20 && needed < 1 << 16)) {
      this.#buffer = new Uint8Array(Math.max(4096, needed));
    }
    return utf8Encoder.encodeInto(text, this.#buffer).written;
  }

  #run(length: number, accept: Accept | undefined, plain: boolean): void {
    this.#tokens.clear();
    this.#model.beginText();
    splitAtAddedTokens(this.#trie, this.#addedTokens, this.#buffer, 0, length, accept, (token, start, end) => {
      if (token !== undefined) this.#tokens.push(token.id, start, end);
      else this.#encodePlain(start, end, plain);
    });
  }

  #encodePlain(start: number, end: number, plain: boolean): void {
    const pieces = this.#pieces;
    pieces.reset(this.#buffer, start, end, null);
    for (const preTokenizer of this.#preTokenizers) preTokenizer.apply(pieces);
    const { bytes, spans } = pieces;
    for (let i = 0; i < spans.count; i++) {
      const first = this.#tokens.length;
      this.#model.tokenize(bytes, spans.values[2 * i], spans.values[2 * i + 1], this.#tokens);
      if (plain) this.#breakControlTokens(bytes, spans.values[2 * i], spans.values[2 * i + 1], first);
    }
  }

  /**
   * Some vocabularies hold their control tokens as words, so the model itself could make one from plain text. The word is
   * then cut after the token's first character, again and again, until none is made.
   */
  #breakControlTokens(bytes: Uint8Array, start: number, end: number, first: number): void {
    const tokens = this.#tokens;
    const { flags } = this.#vocabulary;
    for (let i = first; i < tokens.length; i++) {
      if ((flags[tokens.ids[i]] & TOKEN_FLAG.control) === 0) continue;
      const cut = tokens.starts[i] + widthOf(bytes[tokens.starts[i]]);
      tokens.length = first;
      if (cut >= end) continue;
      for (const [from, to] of [
        [start, cut],
        [cut, end],
      ]) {
        const begin = tokens.length;
        this.#model.tokenize(bytes, from, to, tokens);
        this.#breakControlTokens(bytes, from, to, begin);
      }
      return;
    }
  }

  #guard(prompt: PromptText, length: number): Accept | undefined {
    if (prompt.userRanges.length === 0) return undefined;
    const positions = new Utf16Positions(this.#buffer, length);
    return (token, start, end) => !token.control || prompt.isControl(positions.start(start), positions.end(end));
  }

  #offsets(length: number): Int32Array {
    const positions = new Utf16Positions(this.#buffer, length);
    const { starts, ends, length: count } = this.#tokens;
    const offsets = new Int32Array(2 * count);
    for (let i = 0; i < count; i++) {
      offsets[2 * i] = positions.start(starts[i]);
      offsets[2 * i + 1] = positions.end(ends[i]);
    }
    return offsets;
  }
}
