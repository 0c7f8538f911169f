import { malformed, type RecordReader } from "../format/reader.ts";
import type { Vocabulary } from "../vocabulary.ts";
import { ByteLevelDecoder } from "./byte-level.ts";

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
}

export const DECODER = { byteLevel: 1 } as const;

export function readDecoder(record: RecordReader): Decoder {
  switch (record.u8()) {
    case DECODER.byteLevel:
      return new ByteLevelDecoder();
    default:
      throw malformed("the decoder is of no known kind");
  }
}
