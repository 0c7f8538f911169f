import { malformed, type RecordReader } from "../format/reader.ts";
import { byteFallback } from "./byte-fallback.ts";
import { ByteLevelDecoder } from "./byte-level.ts";
import { ChainDecoder, SpacedDecoder } from "./chain.ts";
import { DECODER, type Decoder, type DecodeStep, STEP } from "./decoder.ts";
import { bpe, each, metaspace, strip, stripFused, wordPiece } from "./steps.ts";

export function readDecoder(record: RecordReader): Decoder {
  switch (record.u8()) {
    case DECODER.none:
      return new SpacedDecoder();
    case DECODER.byteLevel:
      return new ByteLevelDecoder();
    case DECODER.chain:
      return new ChainDecoder(record.list(readStep));
    default:
      throw malformed("the decoder is of no known kind");
  }
}

function readStep(record: RecordReader): () => DecodeStep {
  switch (record.u8()) {
    case STEP.replace: {
      const pattern = record.string();
      const content = record.string();
      if (pattern === "") throw malformed("a pattern is empty");
      return each((token) => token.replaceAll(pattern, () => content));
    }
    case STEP.byteFallback:
      return byteFallback;
    case STEP.strip:
      return strip(record.string(), record.u32(), record.u32());
    case STEP.stripFused:
      return stripFused(record.string(), record.u32(), record.u32());
    case STEP.metaspace:
      return metaspace(record.string(), record.bool());
    case STEP.wordPiece:
      return wordPiece(record.string(), record.bool());
    case STEP.bpe:
      return bpe(record.string());
    default:
      throw malformed("a step of the decoder is of no known kind");
  }
}
