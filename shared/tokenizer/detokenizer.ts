import type { Decoder, DecodeStream } from "./decoders/decoder.ts";
import { TOKEN_FLAG } from "./format/layout.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** Turns a stream of ids into text, never with half a character. */
export class IncrementalDetokenizer {
  readonly #vocabulary: Vocabulary;
  readonly #stream: DecodeStream;
  readonly #skip: number;
  readonly #keep: ReadonlySet<number | undefined>;

  /** @param keep ids that are not skipped although they are special */
  constructor(
    vocabulary: Vocabulary,
    decoder: Decoder,
    skipSpecialTokens: boolean,
    keep: ReadonlySet<number | undefined>,
  ) {
    this.#keep = keep;
    this.#vocabulary = vocabulary;
    this.#stream = decoder.stream(vocabulary);
    this.#skip = skipSpecialTokens ? TOKEN_FLAG.special : 0;
  }

  /** The text that is certain now; "" while a character is not whole. */
  push(id: number): string {
    if (!this.#vocabulary.has(id)) return "";
    if ((this.#vocabulary.flags[id] & this.#skip) !== 0 && !this.#keep.has(id)) return "";
    return this.#stream.push(id);
  }

  /** What was held back: the rest of a character that never came shows as U+FFFD. */
  end(): string {
    return this.#stream.end();
  }
}
