import * as z from "zod";
import { type SectionId } from "../format/layout.ts";
import type { RecordWriter } from "../format/writer.ts";
import { MODEL } from "../models/model.ts";
import { writeBpe } from "./bpe.ts";
import { parseWith, type SourceFile } from "./source.ts";
import { parsePieces, writeUnigram } from "./unigram.ts";
import { TokenizerCompileError } from "./unsupported.ts";
import { parseVocab } from "./vocabulary.ts";

const wordPiece = z.looseObject({
  unk_token: z.string().default("[UNK]"),
  continuing_subword_prefix: z.string().default("##"),
  max_input_chars_per_word: z.number().int().positive().default(100),
});
const wordLevel = z.looseObject({ unk_token: z.string() });

/** Old files name no type: the keys tell, as upstream tries one after the other. */
function typeOf({ model }: SourceFile): string {
  if (model.type !== undefined) return model.type;
  if ("merges" in model) return "BPE";
  if ("continuing_subword_prefix" in model) return "WordPiece";
  return Array.isArray(model["vocab"]) ? "Unigram" : "WordLevel";
}

/** The model's own tokens. */
export function modelVocabulary(source: SourceFile): Map<string, number> {
  return typeOf(source) === "Unigram" ? parsePieces(source.model) : parseVocab(source.model["vocab"], "model.vocab");
}

export interface CompiledModel {
  readonly sections: ReadonlyMap<SectionId, Uint8Array>;
  readonly uncutBytes: readonly number[] | undefined;
}

/** Writes the record of the model; `size` is the number of all ids. */
export function writeModel(
  source: SourceFile,
  vocab: ReadonlyMap<string, number>,
  byteLevel: boolean,
  size: number,
  record: RecordWriter,
): CompiledModel {
  const type = typeOf(source);
  const unkId = (token: string): number => {
    const id = vocab.get(token);
    if (id === undefined) throw new TokenizerCompileError("model.unk_token", `${token} is not in the vocabulary`);
    return id;
  };
  switch (type) {
    case "BPE":
      return writeBpe(source.model, vocab, byteLevel, record.u8(MODEL.bpe));
    case "WordPiece": {
      const model = parseWith(wordPiece, source.model, "model");
      record.u8(MODEL.wordPiece).u32(unkId(model.unk_token)).string(model.continuing_subword_prefix);
      record.u32(model.max_input_chars_per_word);
      break;
    }
    case "WordLevel":
      record.u8(MODEL.wordLevel).u32(unkId(parseWith(wordLevel, source.model, "model").unk_token));
      break;
    case "Unigram":
      return {
        sections: writeUnigram(source.model, vocab, size, record.u8(MODEL.unigram)),
        uncutBytes: undefined,
      };
    default:
      throw new TokenizerCompileError("model", `${type} is not supported`);
  }
  return { sections: new Map(), uncutBytes: undefined };
}
