import { toByteCharacters } from "../byte-characters.ts";
import { malformed, type RecordReader, type Sections } from "../format/reader.ts";
import { hashBytes } from "../hash.ts";
import type { TokenList } from "../token-list.ts";
import { utf8Decoder, widthOf } from "../utf8.ts";
import { DIRECT, ID_MASK, type Vocabulary } from "../vocabulary.ts";
import { MergeQueue } from "./merge-queue.ts";
import { Merges, NO_MERGE } from "./merges.ts";
import type { Model } from "./model.ts";
import { WordCache } from "./word-cache.ts";

/** Up to here a scan for the lowest rank beats the heap; beyond, the heap keeps the time n log n. */
const SCAN_SYMBOLS = 40;

/**
 * BPE as `models/bpe/model.rs` does it: a word becomes symbols, then the neighbours whose merge has the lowest rank are
 * joined, the leftmost first, until none is left.
 */
export class Bpe implements Model {
  readonly #vocabulary: Vocabulary;
  readonly #merges: Merges;
  readonly #cache = new WordCache();
  readonly #queue = new MergeQueue();
  readonly #byteLevel: boolean;
  readonly #ignoreMerges: boolean;
  readonly #fuseUnk: boolean;
  /** -1 when there is none: what has no token then vanishes, as upstream. */
  readonly #unkId: number;
  /** Id of the token of each byte: of the byte-level alphabet, or of the `<0x00>` kind; -1 where there is none. */
  readonly #byteIds: Int32Array;
  readonly #byteFallback: boolean;
  readonly #continuingSubwordPrefix: string;
  readonly #endOfWordSuffix: string;
  readonly #affixes: boolean;

  #symbols = new Int32Array(256);
  #lengths = new Int32Array(256);
  #next = new Int32Array(256);
  #previous = new Int32Array(256);
  readonly #ranks = new Int32Array(SCAN_SYMBOLS + 1);
  #count = 0;
  /** A byte of the present word vanished, see `#emitInCharacters`. */
  #dropped = false;

  constructor(record: RecordReader, sections: Sections, vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    this.#byteLevel = record.bool();
    this.#ignoreMerges = record.bool();
    this.#fuseUnk = record.bool();
    this.#byteFallback = record.bool();
    this.#unkId = record.u32() - 1;
    this.#byteIds = Int32Array.from(record.list((r) => r.u32() - 1));
    this.#continuingSubwordPrefix = record.string();
    this.#endOfWordSuffix = record.string();
    this.#affixes = this.#continuingSubwordPrefix !== "" || this.#endOfWordSuffix !== "";
    if (this.#byteIds.length !== 256) throw malformed("a byte has no entry");
    for (const id of [this.#unkId, ...this.#byteIds]) if (id >= vocabulary.size) throw malformed("a byte has no token");
    this.#merges = new Merges(sections);
  }

  beginText(): void {
    this.#cache.forget();
    if (this.#symbols.length > 1 << 16) this.#allocate(256);
  }

  tokenize(bytes: Uint8Array, start: number, end: number, out: TokenList): void {
    const hash = hashBytes(bytes, start, end);
    const whole = this.#vocabulary.find(bytes, start, end, hash);
    if (whole !== -1 && ((whole & DIRECT) !== 0 || this.#ignoreMerges)) {
      out.push(whole & ID_MASK, start, end);
      return;
    }
    if (this.#cache.repeat(bytes, start, end, hash, out)) return;
    const first = out.length;
    if (this.#byteLevel) this.#byteSymbols(bytes, start, end);
    else this.#characterSymbols(bytes, start, end);
    if (this.#count <= SCAN_SYMBOLS) this.#mergeByScan();
    else this.#mergeByQueue();
    if (this.#dropped) this.#emitInCharacters(bytes, start, end, out);
    else this.#emit(start, out);
    this.#cache.remember(start, end, hash, first, this.#count);
  }

  #emit(start: number, out: TokenList): void {
    const symbols = this.#symbols;
    const lengths = this.#lengths;
    let at = start;
    for (let i = 0, count = this.#count; i < count; i++) {
      out.push(symbols[i], at, at + lengths[i]);
      at += lengths[i];
    }
  }

  /**
   * The same for a word of which a byte has no token and vanished. Upstream then adds up the lengths of what is left, in
   * UTF-8 of the characters that stand for bytes, and so every place after the gap is too far to the left.
   */
  #emitInCharacters(bytes: Uint8Array, start: number, end: number, out: TokenList): void {
    let at = start;
    let character = 0;
    const byteAt = (place: number): number => {
      while (at < end && character + characterLength(bytes[at]) <= place) character += characterLength(bytes[at++]);
      return at;
    };
    let place = 0;
    for (let i = 0, count = this.#count; i < count; i++) {
      let length = 0;
      for (const byte of this.#vocabulary.bytesOf(this.#symbols[i])) length += characterLength(byte);
      const first = byteAt(place);
      place += length;
      out.push(this.#symbols[i], first, Math.min(end, byteAt(place - 1) + 1));
    }
  }

  #allocate(size: number): void {
    this.#symbols = new Int32Array(size);
    this.#lengths = new Int32Array(size);
    this.#next = new Int32Array(size);
    this.#previous = new Int32Array(size);
  }

  #add(id: number, length: number): void {
    this.#symbols[this.#count] = id;
    this.#lengths[this.#count++] = length;
  }

  #byteSymbols(bytes: Uint8Array, start: number, end: number): void {
    if (end - start > this.#symbols.length) this.#allocate(2 * (end - start));
    this.#count = 0;
    let unknown = 0;
    this.#dropped = false;
    for (let i = start; i < end; i++) {
      const id = this.#affixes
        ? this.#findWithAffixes(toByteCharacters(bytes.subarray(i, i + 1)), i === start, i + 1 === end)
        : this.#byteIds[bytes[i]];
      if (id !== -1) {
        if (unknown > 0) this.#add(this.#unkId, unknown);
        unknown = 0;
        this.#add(id, 1);
      } else if (this.#unkId !== -1) {
        if (unknown > 0 && !this.#fuseUnk) {
          this.#add(this.#unkId, unknown);
          unknown = 1;
        } else unknown++;
      } else this.#dropped = true;
    }
    if (unknown > 0) this.#add(this.#unkId, unknown);
  }

  /** One symbol a character; what the vocabulary lacks becomes its bytes' tokens when all of them are there, else unknown. */
  #characterSymbols(bytes: Uint8Array, start: number, end: number): void {
    if (end - start > this.#symbols.length) this.#allocate(2 * (end - start));
    this.#count = 0;
    let unknown = 0;
    for (let i = start; i < end;) {
      const width = widthOf(bytes[i]);
      const found = this.#affixes
        ? this.#findWithAffixes(utf8Decoder.decode(bytes.subarray(i, i + width)), i === start, i + width === end)
        : this.#vocabulary.find(bytes, i, i + width, hashBytes(bytes, i, i + width));
      if (found !== -1) {
        if (unknown > 0) this.#add(this.#unkId, unknown);
        unknown = 0;
        this.#add(found & ID_MASK, width);
      } else if (this.#byteFallback && this.#hasBytes(bytes, i, i + width)) {
        for (let j = i; j < i + width; j++) this.#add(this.#byteIds[bytes[j]], 1);
      } else if (this.#unkId !== -1) {
        if (unknown > 0 && !this.#fuseUnk) {
          this.#add(this.#unkId, unknown);
          unknown = width;
        } else unknown += width;
      }
      i += width;
    }
    if (unknown > 0) this.#add(this.#unkId, unknown);
  }

  #hasBytes(bytes: Uint8Array, start: number, end: number): boolean {
    for (let i = start; i < end; i++) if (this.#byteIds[bytes[i]] === -1) return false;
    return true;
  }

  #findWithAffixes(character: string, isFirst: boolean, isLast: boolean): number {
    const prefix = isFirst ? "" : this.#continuingSubwordPrefix;
    const suffix = isLast ? this.#endOfWordSuffix : "";
    return this.#vocabulary.idOf(prefix + character + suffix) ?? -1;
  }

  #mergeByScan(): void {
    const symbols = this.#symbols;
    const lengths = this.#lengths;
    const ranks = this.#ranks;
    const merges = this.#merges;
    let count = this.#count;
    for (let i = 0; i + 1 < count; i++) ranks[i] = merges.rank(symbols[i], symbols[i + 1]);
    for (;;) {
      let lowest = NO_MERGE;
      let at = -1;
      for (let i = 0; i + 1 < count; i++) {
        if (ranks[i] < lowest) {
          lowest = ranks[i];
          at = i;
        }
      }
      if (at === -1) break;
      symbols[at] = merges.joined(lowest);
      lengths[at] += lengths[at + 1];
      count--;
      for (let i = at + 1; i < count; i++) {
        symbols[i] = symbols[i + 1];
        lengths[i] = lengths[i + 1];
        ranks[i] = ranks[i + 1];
      }
      if (at > 0) ranks[at - 1] = merges.rank(symbols[at - 1], symbols[at]);
      if (at + 1 < count) ranks[at] = merges.rank(symbols[at], symbols[at + 1]);
    }
    this.#count = count;
  }

  #mergeByQueue(): void {
    const symbols = this.#symbols;
    const lengths = this.#lengths;
    const next = this.#next;
    const previous = this.#previous;
    const merges = this.#merges;
    const queue = this.#queue;
    const count = this.#count;
    if (count >= MergeQueue.MAX_SYMBOLS) throw new RangeError("a word of more than 4 million symbols");
    queue.clear();
    for (let i = 0; i < count; i++) {
      previous[i] = i - 1;
      next[i] = i + 1;
      if (i + 1 < count) {
        const rank = merges.rank(symbols[i], symbols[i + 1]);
        if (rank !== NO_MERGE) queue.push(rank, i);
      }
    }
    while (queue.size > 0) {
      const key = queue.pop();
      const rank = Math.floor(key / MergeQueue.MAX_SYMBOLS);
      const at = key - rank * MergeQueue.MAX_SYMBOLS;
      // A candidate is stale when one of the two was merged with another neighbour since.
      if (lengths[at] === 0) continue;
      const right = next[at];
      if (right >= count || merges.rank(symbols[at], symbols[right]) !== rank) continue;
      symbols[at] = merges.joined(rank);
      lengths[at] += lengths[right];
      lengths[right] = 0;
      const after = next[right];
      next[at] = after;
      if (after < count) {
        previous[after] = at;
        const rank = merges.rank(symbols[at], symbols[after]);
        if (rank !== NO_MERGE) queue.push(rank, at);
      }
      const before = previous[at];
      if (before >= 0) {
        const rank = merges.rank(symbols[before], symbols[at]);
        if (rank !== NO_MERGE) queue.push(rank, before);
      }
    }
    let kept = 0;
    for (let i = 0; i < count; i = next[i]) {
      symbols[kept] = symbols[i];
      lengths[kept++] = lengths[i];
    }
    this.#count = kept;
  }
}

/** Bytes of the character that stands for a byte in a byte-level vocabulary. */
function characterLength(byte: number): number {
  return byte >= 0x21 && byte <= 0x7e ? 1 : 2;
}
