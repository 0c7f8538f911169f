import { SECTION } from "../format/layout.ts";
import { malformed, type RecordReader, type Sections } from "../format/reader.ts";
import { finishHash, hashBytes, HASH_BASIS, HASH_PRIME } from "../hash.ts";
import type { TokenList } from "../token-list.ts";
import { widthOf } from "../utf8.ts";
import { DIRECT, ID_MASK, type Vocabulary } from "../vocabulary.ts";
import type { Model } from "./model.ts";
import { WordCache } from "./word-cache.ts";

/** What an unknown character costs beyond the worst piece: `K_UNK_PENALTY`. */
const UNKNOWN_PENALTY = 10;

/** Unigram (`models/unigram/model.rs`, `encode_optimized`): the pieces with the best sum of scores, by Viterbi. */
export class Unigram implements Model {
  readonly #vocabulary: Vocabulary;
  readonly #scores: Float64Array;
  /** One bit per hash of a piece's beginning: where it is 0 no piece goes on, so the search for longer ones ends. */
  readonly #beginnings: Uint8Array;
  readonly #unkId: number;
  readonly #unknownScore: number;
  readonly #byteIds: Int32Array;
  readonly #byteFallback: boolean;
  readonly #cache = new WordCache();
  /** Per place: best score so far, where its piece begins, its id. */
  #best = new Float64Array(256);
  #from = new Int32Array(256);
  #ids = new Int32Array(256);

  constructor(record: RecordReader, sections: Sections, vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    this.#unkId = record.u32() - 1;
    this.#unknownScore = record.f64() - UNKNOWN_PENALTY;
    this.#byteFallback = record.bool();
    this.#byteIds = Int32Array.from(record.list((r) => r.u32() - 1));
    this.#scores = sections.floats(SECTION.scores);
    this.#beginnings = sections.bytes(SECTION.beginnings);
    if (this.#byteIds.length !== 256) throw malformed("a byte has no entry");
    for (const id of [this.#unkId, ...this.#byteIds]) if (id >= vocabulary.size) throw malformed("a byte has no token");
    if (this.#scores.length !== vocabulary.size) throw malformed("ids and scores differ in number");
    const bits = this.#beginnings.length * 8;
    if (bits === 0 || (bits & (bits - 1)) !== 0) throw malformed("the beginnings of pieces have a wrong size");
  }

  beginText(): void {
    this.#cache.forget();
    if (this.#best.length > 1 << 16) this.#allocate(256);
  }

  #allocate(size: number): void {
    this.#best = new Float64Array(size);
    this.#from = new Int32Array(size);
    this.#ids = new Int32Array(size);
  }

  tokenize(bytes: Uint8Array, start: number, end: number, out: TokenList): void {
    const hash = hashBytes(bytes, start, end);
    const whole = this.#vocabulary.find(bytes, start, end, hash);
    if (whole !== -1 && (whole & DIRECT) !== 0) {
      out.push(whole & ID_MASK, start, end);
      return;
    }
    if (this.#cache.repeat(bytes, start, end, hash, out)) return;
    const first = out.length;
    this.#search(bytes, start, end);
    this.#collect(bytes, start, end, out);
    this.#cache.remember(start, end, hash, first, out.length - first);
  }

  #search(bytes: Uint8Array, start: number, end: number): void {
    const size = end - start;
    if (size >= this.#best.length) this.#allocate(2 * (size + 1));
    const best = this.#best;
    const from = this.#from;
    const ids = this.#ids;
    const bitMask = this.#beginnings.length * 8 - 1;
    from.fill(-1, 0, size + 1);
    best[0] = 0;
    for (let at = 0; at < size;) {
      const here = best[at];
      const width = widthOf(bytes[start + at]);
      let single = false;
      let hash = HASH_BASIS;
      for (let last = at; last < size;) {
        const next = last + widthOf(bytes[start + last]);
        for (let i = start + last; i < start + next; i++) hash = Math.imul(hash ^ bytes[i], HASH_PRIME);
        last = next;
        const finished = finishHash(hash);
        const bit = finished & bitMask;
        if ((this.#beginnings[bit >>> 3] & (1 << (bit & 7))) === 0) break;
        const found = this.#vocabulary.find(bytes, start + at, start + last, finished);
        if (found === -1) continue;
        const id = found & ID_MASK;
        const score = this.#scores[id] + here;
        if (from[last] === -1 || score > best[last]) {
          best[last] = score;
          from[last] = at;
          ids[last] = id;
        }
        if (last === at + width) single = true;
      }
      if (!single) {
        const last = at + width;
        const score = this.#unknownScore + here;
        if (from[last] === -1 || score > best[last]) {
          best[last] = score;
          from[last] = at;
          ids[last] = -1;
        }
      }
      at += width;
    }
  }

  /** Follows the best pieces back from the end, unknown neighbours as one, and appends them in order. */
  #collect(bytes: Uint8Array, start: number, end: number, out: TokenList): void {
    const from = this.#from;
    const ids = this.#ids;
    // The pieces, last one first, in the columns that the search no longer needs: ends stay where they are.
    let piece = -1;
    for (let at = end - start; at > 0;) {
      let begin = from[at];
      if (this.#isUnknown(ids[at])) while (begin > 0 && this.#isUnknown(ids[begin])) begin = from[begin];
      from[at] = begin;
      const before = begin;
      // Turned around: each place now names the next one.
      ids[at] = this.#isUnknown(ids[at]) ? -1 : ids[at];
      this.#best[at] = piece;
      piece = at;
      at = before;
    }
    for (let at = piece; at !== -1; at = this.#best[at]) this.#put(bytes, start + from[at], start + at, ids[at], out);
  }

  #isUnknown(id: number): boolean {
    return id === -1 || id === this.#unkId;
  }

  #put(bytes: Uint8Array, start: number, end: number, id: number, out: TokenList): void {
    if (id !== -1) {
      out.push(id, start, end);
      return;
    }
    const found = this.#vocabulary.find(bytes, start, end, hashBytes(bytes, start, end));
    if (found !== -1) out.push(found & ID_MASK, start, end);
    else if (this.#byteFallback && this.#hasBytes(bytes, start, end)) {
      for (let i = start; i < end; i++) out.push(this.#byteIds[bytes[i]], start, end);
    } else out.push(this.#unkId, start, end);
  }

  #hasBytes(bytes: Uint8Array, start: number, end: number): boolean {
    for (let i = start; i < end; i++) if (this.#byteIds[bytes[i]] === -1) return false;
    return true;
  }
}
