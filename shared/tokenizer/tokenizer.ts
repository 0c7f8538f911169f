import type { PromptText } from "../chat-template/prompt-text.ts";
import type { Decoder } from "./decoders/decoder.ts";
import { readDecoder } from "./decoders/read.ts";
import { IncrementalDetokenizer } from "./detokenizer.ts";
import type { DecodeOptions, EncodeOptions, Encoding } from "./encoding.ts";
import { SECTION } from "./format/layout.ts";
import { malformed, RecordReader, Sections } from "./format/reader.ts";
import { Pipeline } from "./pipeline.ts";
import { finishEncoding } from "./post-processors/finish.ts";
import { type PostProcessor, readPostProcessor } from "./post-processors/post-processor.ts";
import { utf8Encoder } from "./utf8.ts";
import { Vocabulary } from "./vocabulary.ts";

/**
 * A tokenizer of a release, over the tables of its compiled file. Gives the ids of the Rust `tokenizers`. Synchronous and not
 * re-entrant: its buffers serve one text after the other.
 */
export class Tokenizer {
  readonly #vocabulary: Vocabulary;
  readonly #pipeline: Pipeline;
  readonly #addedIds: ReadonlyMap<string, number>;
  readonly #postProcessor: PostProcessor;
  readonly #decoder: Decoder;

  private constructor(file: Uint8Array) {
    const sections = new Sections(file);
    const record = new RecordReader(sections.bytes(SECTION.pipeline));
    this.#vocabulary = new Vocabulary(sections, record.bool());
    this.#pipeline = new Pipeline(record, sections, this.#vocabulary);
    this.#addedIds = new Map(this.#pipeline.addedTokens.map(({ content, id }) => [content, id]));
    this.#postProcessor = readPostProcessor(record, this.#vocabulary.size);
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
    return this.#pipeline.addedTokens.filter(({ control }) => control).map(({ content }) => content);
  }

  tokenToId(token: string): number | undefined {
    return this.#addedIds.get(token) ?? this.#vocabulary.idOf(token);
  }

  idToToken(id: number): string | undefined {
    return this.#vocabulary.has(id) ? this.#vocabulary.stringOf(id) : undefined;
  }

  /**
   * Ids of a text, cut and padded as the file says. Added tokens in the text are recognised: for text of users, render a
   * prompt and use `encodePrompt`.
   */
  encode(text: string, options: EncodeOptions = {}): Encoding {
    this.#pipeline.run(text, { tracked: options.offsets === true });
    return finishEncoding(this.#pipeline, this.#vocabulary, this.#postProcessor, options);
  }

  /** Ids of a rendered prompt, never cut or padded. Control tokens are read only where the template wrote them. */
  encodePrompt(prompt: PromptText, options: Pick<EncodeOptions, "addSpecialTokens"> = {}): Int32Array {
    const add = options.addSpecialTokens !== false;
    const { before, after } = this.#postProcessor;
    const ids: number[] = [];
    if (prompt.before !== "") {
      this.#pipeline.run(prompt.before, { tracked: false });
      for (const id of this.#pipeline.tokens.ids.subarray(0, this.#pipeline.tokens.length)) ids.push(id);
    }
    if (add) ids.push(...before);
    this.#pipeline.run(prompt.text, { tracked: false, prompt });
    const { tokens } = this.#pipeline;
    const all = new Int32Array(ids.length + tokens.length + (add ? after.length : 0));
    all.set(ids);
    all.set(tokens.ids.subarray(0, tokens.length), ids.length);
    if (add) all.set(after, ids.length + tokens.length);
    return all;
  }

  /** Ids of a text in which nothing is an added token. */
  encodeAsText(text: string): Int32Array {
    this.#pipeline.run(text, { tracked: false, asText: true });
    return this.#pipeline.tokens.ids.slice(0, this.#pipeline.tokens.length);
  }

  /** Ids that the model alone makes of one word, given as the bytes of the vocabulary. */
  encodeWord(word: Uint8Array): Int32Array {
    this.#pipeline.runWord(word);
    return this.#pipeline.tokens.ids.slice(0, this.#pipeline.tokens.length);
  }

  /** Text of ids. Ids without a token are left out, as upstream. */
  decode(ids: Iterable<number>, options: DecodeOptions = {}): string {
    const detokenizer = this.detokenizer(options);
    let text = "";
    for (const id of ids) text += detokenizer.push(id);
    return text + detokenizer.end();
  }

  /**
   * The bytes that one id stands for in a text, where it may be a part of a character; else those of what it decodes to alone. Bytes of
   * successive ids, joined, have whole characters. None for an id without a token.
   */
  bytesOf(id: number): Uint8Array {
    if (!this.#vocabulary.has(id)) return new Uint8Array(0);
    return this.#decoder.bytesOf(this.#vocabulary, id) ?? utf8Encoder.encode(this.decode([id]));
  }

  /** Text of a stream of ids: what it gives in all equals `decode` of all ids, after every id. */
  detokenizer(options: DecodeOptions = {}): IncrementalDetokenizer {
    const keep = new Set((options.keep ?? []).map((token) => this.tokenToId(token)));
    return new IncrementalDetokenizer(this.#vocabulary, this.#decoder, options.skipSpecialTokens === true, keep);
  }
}
