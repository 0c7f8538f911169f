import { SECTION } from "../format/layout.ts";
import { malformed, type Sections } from "../format/reader.ts";

/** No merge: greater than every rank. */
export const NO_MERGE = 0x7fffffff;

/** The merges of BPE: (left id, right id) -> rank, and rank -> id of the joined token. */
export class Merges {
  /** Triples (left, right, rank), left -1 where empty. */
  readonly #slots: Int32Array;
  readonly #ids: Int32Array;
  readonly #capacity: number;

  constructor(sections: Sections, vocabularySize: number) {
    this.#slots = sections.ints(SECTION.mergeSlots);
    this.#ids = sections.ints(SECTION.mergeIds);
    if (this.#slots.length % 3 !== 0) throw malformed("the merges have half a slot");
    this.#capacity = this.#slots.length / 3;
    for (const id of this.#ids)
      if (id < 0 || id >= vocabularySize) throw malformed("a merge makes an id that is not there");
    let empty = false;
    for (let i = 0; i < this.#slots.length; i += 3) {
      if (this.#slots[i] === -1) empty = true;
      else if (this.#slots[i + 2] < 0 || this.#slots[i + 2] >= this.#ids.length) {
        throw malformed("a merge has a rank that is not there");
      }
    }
    if (!empty) throw malformed("the merges have no empty slot");
  }

  /** Rank of the merge of two neighbours, lower is earlier; NO_MERGE when there is none. */
  rank(left: number, right: number): number {
    const slots = this.#slots;
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca77);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae3d);
    hash ^= hash >>> 16;
    let at = 3 * Math.floor(((hash >>> 0) * this.#capacity) / 0x1_0000_0000);
    for (;;) {
      const found = slots[at];
      if (found === -1) return NO_MERGE;
      if (found === left && slots[at + 1] === right) return slots[at + 2];
      at += 3;
      if (at === slots.length) at = 0;
    }
  }

  /** The token that the merge of this rank makes. */
  joined(rank: number): number {
    return this.#ids[rank];
  }
}
