import * as z from "zod";
import { toByteCharacters } from "../byte-characters.ts";
import { SECTION, type SectionId } from "../format/layout.ts";
import { bytesOf, type RecordWriter } from "../format/writer.ts";
import { utf8Encoder } from "../utf8.ts";
import { mergeSlots } from "./hash-table.ts";
import { parseWith } from "./source.ts";
import { TokenizerCompileError } from "./unsupported.ts";

const schema = z.looseObject({
  dropout: z.number().nullish(),
  unk_token: z.string().nullish(),
  continuing_subword_prefix: z.string().nullish(),
  end_of_word_suffix: z.string().nullish(),
  fuse_unk: z.boolean().default(false),
  byte_fallback: z.boolean().default(false),
  ignore_merges: z.boolean().default(false),
  merges: z.array(z.unknown()),
});

export interface CompiledBpe {
  readonly sections: ReadonlyMap<SectionId, Uint8Array>;
  /** Bytes after which a text may not be cut before a `\u2581`; undefined when it may not be cut at all. */
  readonly uncutBytes: readonly number[] | undefined;
}

/** Writes the record and the tables of `"type": "BPE"`. */
export function writeBpe(
  model: unknown,
  vocab: ReadonlyMap<string, number>,
  byteLevel: boolean,
  record: RecordWriter,
): CompiledBpe {
  const bpe = parseWith(schema, model, "model");
  if (bpe.dropout !== undefined && bpe.dropout !== null && bpe.dropout !== 0) {
    throw new TokenizerCompileError("model.dropout", "random merges are for training");
  }
  const prefix = bpe.continuing_subword_prefix ?? "";
  const ids: number[] = [];
  const merged = new Set<string>();
  const pairs: (readonly [number, number])[] = [];
  for (const [i, merge] of bpe.merges.entries()) {
    const [left, right] = parseMerge(merge, i);
    const leftId = vocab.get(left);
    const rightId = vocab.get(right);
    const id = vocab.get(left + right.slice(right.startsWith(prefix) ? prefix.length : 0));
    if (leftId === undefined || rightId === undefined || id === undefined) {
      throw new TokenizerCompileError(`model.merges[${i}]`, "names a token that the vocabulary lacks");
    }
    pairs.push([leftId, rightId]);
    merged.add(left + right.slice(right.startsWith(prefix) ? prefix.length : 0));
    ids.push(id);
  }
  const unk = bpe.unk_token ?? undefined;
  const unkId = unk === undefined ? undefined : vocab.get(unk);
  record
    .bool(byteLevel)
    .bool(bpe.ignore_merges)
    .bool(bpe.fuse_unk)
    .bool(bpe.byte_fallback)
    .u32((unkId ?? -1) + 1)
    .list(byteTokens(byteLevel), (token, r) => r.u32((vocab.get(token) ?? -1) + 1))
    .string(prefix)
    .string(bpe.end_of_word_suffix ?? "");
  const sections = new Map<SectionId, Uint8Array>([
    [SECTION.mergeSlots, bytesOf(mergeSlots(pairs))],
    [SECTION.mergeIds, bytesOf(Int32Array.from(ids))],
  ]);
  const affixes = prefix !== "" || (bpe.end_of_word_suffix ?? "") !== "";
  const reachable = bpe.ignore_merges ? vocab.keys() : merged.values();
  return {
    sections,
    uncutBytes: byteLevel || affixes || !vocab.has("\u2581") ? undefined : bytesBeforeMetaspace(reachable),
  };
}

/**
 * The last bytes of the characters that stand before a `\u2581` inside of a token. After any other character no merge reaches
 * across, and a text without a pre-tokenizer can be cut there (when it has a token of its own, so that unknown characters do not
 * fuse across it): Llama and Gemma otherwise take a text as one word of its length.
 */
function bytesBeforeMetaspace(tokens: Iterable<string>): number[] {
  const bytes = new Set<number>();
  for (const token of tokens) {
    for (const [, before] of token.matchAll(/([^\u2581])(?=\u2581)/gu))
      bytes.add(utf8Encoder.encode(before).at(-1) ?? 0);
  }
  return [...bytes].toSorted((a, b) => a - b);
}

function byteTokens(byteLevel: boolean): string[] {
  return Array.from({ length: 256 }, (_, byte) =>
    byteLevel ? toByteCharacters(Uint8Array.of(byte)) : `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
  );
}

/** `"a b"` in older files, `["a", "b"]` in newer ones. */
function parseMerge(merge: unknown, i: number): [string, string] {
  const parts: unknown[] = typeof merge === "string" ? merge.split(" ") : Array.isArray(merge) ? merge : [];
  const [left, right] = parts;
  if (parts.length !== 2 || typeof left !== "string" || typeof right !== "string") {
    throw new TokenizerCompileError(`model.merges[${i}]`, "is not a pair of tokens");
  }
  return [left, right];
}
