import { malformed } from "../format/reader.ts";
import { utf8Decoder, utf8Encoder } from "../utf8.ts";
import { type AlignedText, codePointsOf } from "./aligned-text.ts";
import type { Normalizer } from "./normalizer.ts";

/** Graphemes of more bytes are looked up character by character: a rule of upstream. */
const MAX_GRAPHEME_BYTES = 5;

/**
 * `Precompiled`: SentencePiece's character map. A double-array trie (darts-clone) gives the place of a replacement among
 * zero-terminated strings.
 */
export class Precompiled implements Normalizer {
  readonly #trie: Uint32Array;
  readonly #strings: Uint8Array;
  readonly #segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

  /** `map`: u32 size of the trie in bytes, the trie, the strings. */
  constructor(map: Uint8Array) {
    if (map.length < 4) throw malformed("a character map is cut off");
    const size = new DataView(map.buffer, map.byteOffset, 4).getUint32(0, true);
    if (size % 4 !== 0 || size > map.length - 4) throw malformed("a character map is cut off");
    this.#trie = new Uint32Array(map.slice(4, 4 + size).buffer);
    this.#strings = map.subarray(4 + size);
  }

  apply(text: string): string {
    let result = "";
    this.#forEach(text, (_, replacement) => (result += replacement));
    return result;
  }

  align(text: AlignedText): void {
    const codePoints: number[] = [];
    const changes: number[] = [];
    this.#forEach(text.text, (part, replacement) => {
      const old = codePointsOf(part);
      const next = codePointsOf(replacement);
      const difference = next.length - old.length;
      for (const [i, codePoint] of next.entries()) {
        codePoints.push(codePoint);
        changes.push(i >= next.length - difference ? 1 : 0);
      }
      if (difference < 0 && changes.length > 0) changes[changes.length - 1] += difference;
    });
    text.transform(codePoints, changes);
  }

  #forEach(text: string, take: (part: string, replacement: string) => void): void {
    for (const { segment } of this.#segmenter.segment(text)) {
      if (utf8Encoder.encode(segment).length <= MAX_GRAPHEME_BYTES) {
        const replacement = this.#find(segment);
        if (replacement !== undefined) {
          take(segment, replacement);
          continue;
        }
      }
      for (const character of segment) take(character, this.#find(character) ?? character);
    }
  }

  /** The replacement of the shortest entry that the text begins with. */
  #find(text: string): string | undefined {
    const trie = this.#trie;
    let node = offsetOf(trie[0] ?? 0);
    for (const byte of utf8Encoder.encode(text)) {
      if (byte === 0) return undefined;
      node ^= byte;
      const unit = trie[node];
      if (unit === undefined || (unit & 0x800000ff) !== byte) return undefined;
      node ^= offsetOf(unit);
      if (((unit >>> 8) & 1) === 1) {
        const value = (trie[node] ?? 0) & 0x7fffffff;
        const end = this.#strings.indexOf(0, value);
        return utf8Decoder.decode(this.#strings.subarray(value, end === -1 ? this.#strings.length : end));
      }
    }
    return undefined;
  }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
