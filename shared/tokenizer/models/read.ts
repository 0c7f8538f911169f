import { malformed, type RecordReader, type Sections } from "../format/reader.ts";
import type { Vocabulary } from "../vocabulary.ts";
import { Bpe } from "./bpe.ts";
import { MODEL, type Model } from "./model.ts";
import { Unigram } from "./unigram.ts";
import { WordLevel, WordPiece } from "./wordpiece.ts";

export function readModel(record: RecordReader, sections: Sections, vocabulary: Vocabulary): Model {
  switch (record.u8()) {
    case MODEL.bpe:
      return new Bpe(record, sections, vocabulary);
    case MODEL.wordPiece:
      return new WordPiece(record, vocabulary);
    case MODEL.wordLevel:
      return new WordLevel(record, vocabulary);
    case MODEL.unigram:
      return new Unigram(record, sections, vocabulary);
    default:
      throw malformed("the model is of no known kind");
  }
}
