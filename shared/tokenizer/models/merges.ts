import { SECTION } from "../format/layout.ts";
import { malformed, type Sections } from "../format/reader.ts";

/** No merge: greater than every rank. */
export const NO_MERGE = 0x7fffffff;

/** The merges of BPE: (left id, right id) -> rank, and rank -> id of the joined token. Entries are not walked, see `Vocabulary`. */
export class Merges {
  /** Triples (left, right, rank), left -1 where empty. */
  readonly #slots: Int32Array;
  readonly #ids: Int32Array;
  readonly #capacity: number;

  constructor(sections: Sections) {
    this.#slots = sections.ints(SECTION.mergeSlots);
    this.#ids = sections.ints(SECTION.mergeIds);
    if (this.#slots.length === 0 || this.#slots.length % 3 !== 0) throw malformed("the merges have half a slot");
    this.#capacity = this.#slots.length / 3;
  }

  /** Rank of the merge of two neighbours, lower is earlier; NO_MERGE when there is none. */
  rank(left: number, right: number): number {
    const slots = this.#slots;
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca77);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae3d);
    hash ^= hash >>> 16;
    let at = 3 * Math.floor(((hash >>> 0) * this.#capacity) / 0x1_0000_0000);
    for (let rounds = 0; rounds < 2;) {
      const found = slots[at];
      if (found === -1) return NO_MERGE;
      if (found === left && slots[at + 1] === right) return slots[at + 2];
      at += 3;
      if (at === slots.length) {
        at = 0;
        rounds++;
      }
    }
    return NO_MERGE;
  }

  /** The token that the merge of this rank makes. */
  joined(rank: number): number {
    return this.#ids[rank];
  }
}
