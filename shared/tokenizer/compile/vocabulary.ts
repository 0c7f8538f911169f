import { fromByteCharacters } from "../byte-characters.ts";
import { bytesOf } from "../format/writer.ts";
import { SECTION, type SectionId, TOKEN_FLAG } from "../format/layout.ts";
import { utf8Encoder } from "../utf8.ts";
import { vocabularySlots } from "./hash-table.ts";
import type { SourceAddedToken } from "./source.ts";
import { TokenizerCompileError } from "./unsupported.ts";

/** Ids index tables, so a file with one huge id would make a huge table. The largest real vocabularies have 262,144. */
const MAX_IDS = 1 << 22;

/** `vocab` of BPE and WordPiece: token -> id. */
export function parseVocab(vocab: unknown, path: string): Map<string, number> {
  if (typeof vocab !== "object" || vocab === null) throw new TokenizerCompileError(path, "is not an object");
  const tokens = new Map<string, number>();
  for (const [token, id] of Object.entries(vocab)) {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= MAX_IDS) {
      throw new TokenizerCompileError(path, `the id of ${JSON.stringify(token)} is not one`);
    }
    tokens.set(token, id);
  }
  return tokens;
}

/** The tables of ids and bytes. `model` holds the model's own tokens: only those are found in text. */
export function vocabularySections(
  model: ReadonlyMap<string, number>,
  added: readonly SourceAddedToken[],
  byteLevel: boolean,
): Map<SectionId, Uint8Array> {
  const strings = new Map<number, string>();
  for (const [token, id] of model) strings.set(id, token);
  for (const { id, content } of added) {
    if (id >= MAX_IDS) throw new TokenizerCompileError("added_tokens", `the id ${id} is too large`);
    strings.set(id, content);
  }
  let size = 0;
  for (const id of strings.keys()) size = Math.max(size, id + 1);

  const flags = new Uint8Array(size);
  const ends = new Uint32Array(size);
  const parts: Uint8Array[] = [];
  let end = 0;
  for (let id = 0; id < size; id++) {
    const token = strings.get(id);
    if (token === undefined) flags[id] = TOKEN_FLAG.absent;
    else {
      const mapped = byteLevel ? fromByteCharacters(token) : undefined;
      if (byteLevel && mapped === undefined) flags[id] = TOKEN_FLAG.literal;
      const bytes = mapped ?? utf8Encoder.encode(token);
      parts.push(bytes);
      end += bytes.length;
    }
    ends[id] = end;
  }
  for (const { id, special } of added) flags[id] |= TOKEN_FLAG.added | (special ? TOKEN_FLAG.special : 0);

  const tokenBytes = new Uint8Array(end);
  let at = 0;
  for (const part of parts) {
    tokenBytes.set(part, at);
    at += part.length;
  }
  const entries: (readonly [Uint8Array, number])[] = [];
  for (const [token, id] of model) {
    // An added token may have taken the id over with another string; its bytes are then not the model's token.
    if (strings.get(id) !== token) continue;
    const bytes = byteLevel ? fromByteCharacters(token) : utf8Encoder.encode(token);
    if (bytes !== undefined && bytes.length > 0) entries.push([bytes, id]);
  }
  return new Map<SectionId, Uint8Array>([
    [SECTION.tokenBytes, tokenBytes],
    [SECTION.tokenEnds, bytesOf(ends)],
    [SECTION.tokenFlags, flags],
    [SECTION.vocabSlots, bytesOf(vocabularySlots(entries, entries.length))],
  ]);
}
