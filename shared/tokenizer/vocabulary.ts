import { malformed, type Sections } from "./format/reader.ts";
import { SECTION, TOKEN_FLAG } from "./format/layout.ts";
import { hashBytes } from "./hash.ts";
import { fromByteCharacters } from "./byte-characters.ts";
import { utf8Decoder, utf8Encoder } from "./utf8.ts";
import { toByteCharacters } from "./byte-characters.ts";

/** Set in a slot's value when the model, given just these bytes, makes just this token. */
export const DIRECT = 1 << 30;
export const ID_MASK = DIRECT - 1;

/**
 * ids -> bytes and bytes -> ids, in the tables of the compiled file. The release has verified the file's hash, so entries are not
 * walked at load, which would take longer than all the rest. A broken entry still does no harm: reads outside of a table give
 * nothing that equals anything, and a probe ends after two rounds.
 */
export class Vocabulary {
  readonly bytes: Uint8Array;
  readonly ends: Int32Array;
  readonly flags: Uint8Array;
  /** Pairs (hash, id | DIRECT), or (0, -1) where empty. */
  readonly slots: Int32Array;
  readonly #byteLevel: boolean;

  constructor(sections: Sections, byteLevel: boolean) {
    this.bytes = sections.bytes(SECTION.tokenBytes);
    this.ends = sections.ints(SECTION.tokenEnds);
    this.flags = sections.bytes(SECTION.tokenFlags);
    this.slots = sections.ints(SECTION.vocabSlots);
    this.#byteLevel = byteLevel;
    if (this.flags.length !== this.ends.length) throw malformed("ids and flags differ in number");
    if ((this.ends.at(-1) ?? 0) !== this.bytes.length) throw malformed("the bytes of tokens do not end with the last");
    if (this.slots.length === 0 || this.slots.length % 2 !== 0) throw malformed("the vocabulary has half a slot");
  }

  /** Ids reach from 0 to size - 1. */
  get size(): number {
    return this.ends.length;
  }

  /** `id | DIRECT` of the model's token with these bytes, or -1. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const { slots } = this;
    const capacity = slots.length >> 1;
    let slot = Math.floor(((hash >>> 0) * capacity) / 0x1_0000_0000);
    for (let rounds = 0; rounds < 2;) {
      const value = slots[2 * slot + 1];
      if (value === -1) return -1;
      if (slots[2 * slot] === hash && this.#equals(value & ID_MASK, bytes, start, end)) return value;
      if (++slot === capacity) {
        slot = 0;
        rounds++;
      }
    }
    return -1;
  }

  #equals(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = id === 0 ? 0 : this.ends[id - 1];
    if (this.ends[id] - from !== end - start) return false;
    for (let i = start, j = from; i < end; i++, j++) if (bytes[i] !== this.bytes[j]) return false;
    return true;
  }

  has(id: number): boolean {
    return Number.isInteger(id) && id >= 0 && id < this.ends.length && (this.flags[id] & TOKEN_FLAG.absent) === 0;
  }

  /** The bytes of a token, a view: of the text that it stands for (byte-level), or of its string. */
  bytesOf(id: number): Uint8Array {
    return this.bytes.subarray(id === 0 ? 0 : this.ends[id - 1], this.ends[id]);
  }

  /** The token as upstream writes it: `Ġthe`, `▁the`, `##ing`. */
  stringOf(id: number): string {
    const bytes = this.bytesOf(id);
    return this.#byteLevel && (this.flags[id] & TOKEN_FLAG.literal) === 0
      ? toByteCharacters(bytes)
      : utf8Decoder.decode(bytes);
  }

  /** The id of a token that is written as upstream does, among the model's. */
  idOf(token: string): number | undefined {
    const bytes = (this.#byteLevel ? fromByteCharacters(token) : undefined) ?? utf8Encoder.encode(token);
    const value = this.find(bytes, 0, bytes.length, hashBytes(bytes, 0, bytes.length));
    if (value === -1) return undefined;
    const id = value & ID_MASK;
    return this.stringOf(id) === token ? id : undefined;
  }
}
