import { malformed, type RecordReader } from "../format/reader.ts";

/** A set of code points in sorted ranges. */
export class CharSet {
  readonly #ranges: Int32Array;
  readonly #ascii: Uint8Array;

  constructor(ranges: Int32Array) {
    if (ranges.length % 2 !== 0) throw malformed("a set of characters has half a range");
    this.#ranges = ranges;
    this.#ascii = Uint8Array.from({ length: 128 }, (_, codePoint) => (this.#search(codePoint) ? 1 : 0));
  }

  static read(record: RecordReader): CharSet {
    return new CharSet(Int32Array.from(record.list((r) => r.u32())));
  }

  has(codePoint: number): boolean {
    return codePoint < 128 ? this.#ascii[codePoint] === 1 : this.#search(codePoint);
  }

  #search(codePoint: number): boolean {
    const ranges = this.#ranges;
    let low = 0;
    let high = ranges.length >> 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ranges[2 * middle + 1] < codePoint) low = middle + 1;
      else high = middle;
    }
    return 2 * low < ranges.length && ranges[2 * low] <= codePoint;
  }
}
