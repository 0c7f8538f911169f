import { SECTION, type SectionId, TOKEN_FLAG } from "../format/layout.ts";
import { bytesOf, RecordWriter, writeFile } from "../format/writer.ts";
import { Tokenizer } from "../tokenizer.ts";
import { buildTrie } from "../trie.ts";
import { categoryOfEveryCodePoint, twoStageTable } from "../unicode/categories.ts";
import { utf8Encoder } from "../utf8.ts";
import { DIRECT, ID_MASK } from "../vocabulary.ts";
import { writeAddedToken } from "./added-tokens.ts";
import { writeBpe } from "./bpe.ts";
import { writeDecoder } from "./decoder.ts";
import { flattenPreTokenizers, writePreTokenizers } from "./pre-tokenizer.ts";
import { parseSource, type SourceAddedToken } from "./source.ts";
import { TokenizerCompileError } from "./unsupported.ts";
import { parseVocab, vocabularySections } from "./vocabulary.ts";

/**
 * Compiles a tokenizer.json for `Tokenizer.load`. Throws `TokenizerCompileError` that names what the file uses and we lack.
 * Runs at publish time.
 */
export function compileTokenizer(tokenizerJson: unknown, _tokenizerConfig?: unknown): Uint8Array {
  const source = parseSource(tokenizerJson);
  const preTokenizers = flattenPreTokenizers(source.pre_tokenizer);
  const byteLevel = preTokenizers.some(({ type }) => type === "ByteLevel");
  const type = source.model.type ?? "BPE";
  if (type !== "BPE") throw new TokenizerCompileError("model", `${type} is not supported`);
  if (source.normalizer !== null && source.normalizer !== undefined) {
    throw new TokenizerCompileError("normalizer", `${source.normalizer.type} is not supported`);
  }
  if (
    source.post_processor !== null &&
    source.post_processor !== undefined &&
    source.post_processor.type !== "ByteLevel"
  ) {
    throw new TokenizerCompileError("post_processor", `${source.post_processor.type} is not supported`);
  }
  const vocab = parseVocab(source.model["vocab"], "model.vocab");
  const added = source.added_tokens ?? [];
  const steps = writePreTokenizers(preTokenizers);
  const model = new RecordWriter();
  const sections = new Map<SectionId, Uint8Array>([
    ...vocabularySections(vocab, added, byteLevel),
    ...writeBpe(source.model, vocab, byteLevel, model),
    [SECTION.categories, twoStageTable(categoryOfEveryCodePoint())],
    [SECTION.addedTrie, bytesOf(buildTrie(added.map(({ content }, i) => [utf8Encoder.encode(content), i])))],
  ]);
  const decoder = writeDecoder(source.decoder);
  const write = (control: (token: SourceAddedToken) => boolean): Uint8Array => {
    const pipeline = new RecordWriter()
      .bool(byteLevel)
      .list(added, (token, r) => writeAddedToken(token, control(token), r))
      .list(steps, (step, r) => r.record(step))
      .record(model)
      .record(decoder);
    return writeFile(new Map([...sections, [SECTION.pipeline, pipeline.finish()]]));
  };
  markDirect(sections, Tokenizer.load(write(() => false)));
  const draft = Tokenizer.load(write(() => false));
  const control = new Set(added.filter((token) => token.special || !isPlain(draft, token)).map(({ id }) => id));
  const flags = sections.get(SECTION.tokenFlags);
  for (const id of control) if (flags !== undefined) flags[id] |= TOKEN_FLAG.control;
  return write(({ id }) => control.has(id));
}

/** Sets DIRECT at the tokens that the model makes of their own bytes: such a word needs no merge when it is met. */
function markDirect(sections: ReadonlyMap<SectionId, Uint8Array>, draft: Tokenizer): void {
  const slots = intsOf(sections, SECTION.vocabSlots);
  const ends = intsOf(sections, SECTION.tokenEnds);
  const bytes = sections.get(SECTION.tokenBytes) ?? new Uint8Array(0);
  for (let i = 1; i < slots.length; i += 2) {
    const id = slots[i];
    if (id === -1) continue;
    const ids = draft.encodeWord(bytes.subarray(id === 0 ? 0 : ends[id - 1], ends[id]));
    if (ids.length === 1 && ids[0] === id) slots[i] = (id & ID_MASK) | DIRECT;
  }
}

function intsOf(sections: ReadonlyMap<SectionId, Uint8Array>, id: SectionId): Int32Array {
  const bytes = sections.get(id);
  return bytes === undefined ? new Int32Array(0) : new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

/** Whether plain text makes this token without it being an added one, as it does with runs of white space. */
function isPlain(draft: Tokenizer, { id, content }: SourceAddedToken): boolean {
  const ids = draft.encodeAsText(content);
  return ids.length === 1 && ids[0] === id;
}
