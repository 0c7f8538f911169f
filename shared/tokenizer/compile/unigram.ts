import * as z from "zod";
import { SECTION, type SectionId } from "../format/layout.ts";
import { bytesOf, type RecordWriter } from "../format/writer.ts";
import { finishHash, HASH_BASIS, HASH_PRIME } from "../hash.ts";
import { utf8Encoder, widthOf } from "../utf8.ts";
import { parseWith } from "./source.ts";
import { TokenizerCompileError } from "./unsupported.ts";

const schema = z.looseObject({
  unk_id: z.number().int().nonnegative().nullish(),
  byte_fallback: z.boolean().default(false),
  vocab: z.array(z.tuple([z.string(), z.number()])),
});

/** `vocab` of Unigram: the id is the place in the list; of equal pieces the last one counts. */
export function parsePieces(model: unknown): Map<string, number> {
  return new Map(parseWith(schema, model, "model").vocab.map(([piece], id) => [piece, id]));
}

/** Writes the record and the tables of `"type": "Unigram"`. `size` is the number of all ids. */
export function writeUnigram(
  model: unknown,
  vocab: ReadonlyMap<string, number>,
  size: number,
  record: RecordWriter,
): Map<SectionId, Uint8Array> {
  const unigram = parseWith(schema, model, "model");
  const unkId = unigram.unk_id ?? undefined;
  if (unkId === undefined) throw new TokenizerCompileError("model.unk_id", "is missing");
  const scores = new Float64Array(size);
  let lowest = Infinity;
  for (const [id, [, score]] of unigram.vocab.entries()) {
    if (!Number.isFinite(score)) throw new TokenizerCompileError(`model.vocab[${id}]`, "has no score");
    scores[id] = score;
    lowest = Math.min(lowest, score);
  }
  record
    .u32(unkId + 1)
    .f64(lowest)
    .bool(unigram.byte_fallback)
    .list(
      Array.from({ length: 256 }, (_, byte) => byte),
      (byte, r) => {
        const token = `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
        r.u32((vocab.get(token) ?? -1) + 1);
      },
    );
  return new Map<SectionId, Uint8Array>([
    [SECTION.scores, bytesOf(scores)],
    [SECTION.beginnings, beginningsOf([...vocab.keys()])],
  ]);
}

/** The bits of all beginnings, in whole characters; eight bits for each, so that one in nine foreign ones looks like one. */
function beginningsOf(pieces: readonly string[]): Uint8Array {
  const hashes = new Set<number>();
  for (const piece of pieces) {
    const bytes = utf8Encoder.encode(piece);
    let state = HASH_BASIS;
    for (let at = 0; at < bytes.length;) {
      const next = at + widthOf(bytes[at]);
      for (; at < next; at++) state = Math.imul(state ^ bytes[at], HASH_PRIME);
      hashes.add(finishHash(state));
    }
  }
  let bits = 64;
  while (bits < 8 * hashes.size) bits *= 2;
  const table = new Uint8Array(bits / 8);
  for (const hash of hashes) table[(hash & (bits - 1)) >>> 3] |= 1 << (hash & 7);
  return table;
}
