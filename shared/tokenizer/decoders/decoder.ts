import type { Vocabulary } from "../vocabulary.ts";

/** Text of a stream of ids. What it has given never changes; what may still change it keeps. */
export interface DecodeStream {
  /** The text that is certain with this id. */
  push(id: number): string;
  /** What was kept, as it stands. */
  end(): string;
}

/** `"decoder"` of tokenizer.json. A whole text is decoded by the same stream: both are equal by construction. */
export interface Decoder {
  stream(vocabulary: Vocabulary): DecodeStream;
  /** The bytes of an id that may be a part of a character; undefined where it is text by itself. */
  bytesOf(vocabulary: Vocabulary, id: number): Uint8Array | undefined;
}

/**
 * One step of a chain of decoders: tokens in, tokens out. A step gives a token when nothing that follows can change it. After
 * Fuse there is one token for the whole text, which comes in pieces.
 */
export interface DecodeStep {
  push(token: string, emit: (token: string) => void): void;
  end(emit: (token: string) => void): void;
}

export const DECODER = { none: 0, byteLevel: 1, chain: 2 } as const;

export const STEP = {
  replace: 1,
  byteFallback: 2,
  strip: 3,
  metaspace: 4,
  wordPiece: 5,
  bpe: 6,
  stripFused: 7,
} as const;
