import { SECTION, type SectionId, TOKEN_FLAG } from "../format/layout.ts";
import { RecordReader } from "../format/reader.ts";
import { bytesOf, RecordWriter, writeFile } from "../format/writer.ts";
import { readNormalizer } from "../normalizers/read.ts";
import { PRE_TOKENIZER } from "../pre-tokenizers/kinds.ts";
import { Tokenizer } from "../tokenizer.ts";
import { buildTrie } from "../trie.ts";
import { categoryOfEveryCodePoint, twoStageTable } from "../unicode/categories.ts";
import { utf8Encoder } from "../utf8.ts";
import { DIRECT } from "../vocabulary.ts";
import { writeAddedToken } from "./added-tokens.ts";
import { writeDecoder } from "./decoder.ts";
import { modelVocabulary, writeModel } from "./model.ts";
import { type CompiledNormalizers, writeNormalizers } from "./normalizer.ts";
import { writePostProcessor } from "./post-processor.ts";
import { flattenPreTokenizers, writePreTokenizers } from "./pre-tokenizer.ts";
import { writeRustClass } from "./rust-classes.ts";
import { parseSource, type SourceAddedToken } from "./source.ts";
import { TokenizerCompileError } from "./unsupported.ts";
import { vocabularySections } from "./vocabulary.ts";

/**
 * Compiles a tokenizer.json for `Tokenizer.load`. Throws `TokenizerCompileError` that names what the file uses and we lack.
 * Runs at publish time. Of tokenizer_config.json nothing is needed: its tokens are in tokenizer.json, its template has its own class.
 */
export function compileTokenizer(tokenizerJson: unknown, _tokenizerConfig?: unknown): Uint8Array {
  const source = parseSource(tokenizerJson);
  const preTokenizers = flattenPreTokenizers(source.pre_tokenizer);
  const normalizers = writeNormalizers(source.normalizer);
  const byteLevel = normalizers.byteLevel || preTokenizers.some(({ type }) => type === "ByteLevel");
  if (normalizers.byteLevel && preTokenizers.length > 0) {
    throw new TokenizerCompileError(
      "pre_tokenizer",
      "stands after a ByteLevel normalizer, where text is no longer text",
    );
  }
  const vocab = modelVocabulary(source);
  const added = source.added_tokens ?? [];
  const steps = writePreTokenizers(preTokenizers);
  const vocabulary = vocabularySections(vocab, added, byteLevel);
  const model = new RecordWriter();
  const { sections: modelSections, uncutBytes } = writeModel(
    source,
    vocab,
    byteLevel,
    vocabulary.get(SECTION.tokenFlags)?.length ?? 0,
    model,
  );
  if (uncutBytes !== undefined) {
    steps.push(new RecordWriter().u8(PRE_TOKENIZER.beforeMetaspace).list(uncutBytes, (byte, r) => r.u8(byte)));
  }
  const sections = new Map<SectionId, Uint8Array>([
    ...vocabulary,
    ...modelSections,
    [SECTION.categories, twoStageTable(categoryOfEveryCodePoint())],
    ...addedTries(added, normalizers),
    [SECTION.precompiled, normalizers.characterMap],
  ]);
  const words = new RecordWriter();
  if (added.some(({ single_word }) => single_word)) writeRustClass("word", words);
  else words.list([], () => undefined);
  const rest = writePostProcessor(source).record(writeDecoder(source.decoder));

  const write = (control: (token: SourceAddedToken) => boolean): Uint8Array => {
    const pipeline = new RecordWriter()
      .bool(byteLevel)
      .list(added, (token, r) => writeAddedToken(token, control(token), r))
      .record(words)
      .list(normalizers.records, (part, r) => r.record(part))
      .list(steps, (step, r) => r.record(step))
      .record(model)
      .record(rest);
    return writeFile(new Map([...sections, [SECTION.pipeline, pipeline.finish()]]));
  };
  // The tokenizer itself says what its words and its added tokens are: it is built three times, a little wiser each time.
  markDirect(sections, Tokenizer.load(write(() => false)));
  const draft = Tokenizer.load(write(() => false));
  const control = new Set(added.filter((token) => token.special || !isPlain(draft, token)).map(({ id }) => id));
  const flags = sections.get(SECTION.tokenFlags);
  for (const id of control) if (flags !== undefined) flags[id] |= TOKEN_FLAG.control;
  return write(({ id }) => control.has(id));
}

/** The added tokens that are found before normalization by their content, and those found after it by their normalized one. */
function addedTries(added: readonly SourceAddedToken[], normalizers: CompiledNormalizers): [SectionId, Uint8Array][] {
  const steps = normalizers.records.map((record) =>
    readNormalizer(new RecordReader(record.finish()), normalizers.characterMap),
  );
  const isNormalized = ({ normalized, special }: SourceAddedToken): boolean => normalized ?? !special;
  const all = added.map((token, i) => ({ token, i }));
  const plain = all.filter(({ token }) => !isNormalized(token));
  const normalized = all.filter(({ token }) => isNormalized(token));
  return [
    [SECTION.addedTrie, bytesOf(buildTrie(plain.map(({ token, i }) => [utf8Encoder.encode(token.content), i])))],
    [
      SECTION.normalizedTrie,
      bytesOf(
        buildTrie(
          normalized.map(({ token, i }) => [
            utf8Encoder.encode(steps.reduce((text, step) => step.apply(text), token.content)),
            i,
          ]),
        ),
      ),
    ],
  ];
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
    if (ids.length === 1 && ids[0] === id) slots[i] = id | DIRECT;
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
