import type { TokenList } from "../token-list.ts";

/** Cuts one word (what the pre-tokenizer gives) into tokens; named as `"model"` of tokenizer.json. */
export interface Model {
  /** The id of a word that it cannot cut at all, where it has one. */
  readonly unknownId?: number;
  /** Appends the tokens of `bytes[start, end)`, which is valid UTF-8 and not empty. */
  tokenize(bytes: Uint8Array, start: number, end: number, out: TokenList): void;
  /** A new text begins: nothing remembered of the last one may be used, so that no request can time another's words. */
  beginText(): void;
}

export const MODEL = { bpe: 1, wordPiece: 2, wordLevel: 3, unigram: 4 } as const;
