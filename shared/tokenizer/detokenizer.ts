import type { Decoder, DecodeStream } from "./decoders/decoder.ts";
import { TOKEN_FLAG } from "./format/layout.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** Turns a stream of ids into text, never with half a character. */
export class IncrementalDetokenizer {
  readonly #vocabulary: Vocabulary;
  readonly #stream: DecodeStream;
  readonly #skip: number;

  constructor(vocabulary: Vocabulary, decoder: Decoder, skipSpecialTokens: boolean) {
    this.#vocabulary = vocabulary;
    this.#stream = decoder.stream(vocabulary);
    this.#skip = skipSpecialTokens ? TOKEN_FLAG.special : 0;
  }

  /** The text that is certain now; "" while a character is not whole. */
  push(id: number): string {
    if (!this.#vocabulary.has(id) || (this.#vocabulary.flags[id] & this.#skip) !== 0) return "";
    return this.#stream.push(id);
  }

  /** What was held back: the rest of a character that never came shows as U+FFFD. */
  end(): string {
    return this.#stream.end();
  }
}
