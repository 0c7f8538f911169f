import type { CacheArray } from "./cache-array.ts";

/** Rows inside a cache tensor `[heads, room, head_dim]` that starts at `offset` of `array`. */
export interface RowPlace {
  readonly array: CacheArray;
  readonly offset: number;
  readonly room: number;
  /** The first row. */
  readonly at: number;
}

/** Values of one run up to which a loop is faster than a view and a bulk copy; a decode step copies one row a head. */
const SMALL = 256;

/** Copies `count` rows of every head from one cache tensor to another; the two may have different room. */
export function copyRows(source: RowPlace, target: RowPlace, count: number, heads: number, headDim: number): void {
  for (let head = 0; head < heads; head++) {
    const from = source.offset + (head * source.room + source.at) * headDim;
    const to = target.offset + (head * target.room + target.at) * headDim;
    const length = count * headDim;
    copyRun(source.array, from, target.array, to, length);
  }
}

/** Copies `length` values that stand together. */
export function copyRun(source: CacheArray, from: number, target: CacheArray, to: number, length: number): void {
  if (length > SMALL) target.set(source.subarray(from, from + length), to);
  else for (let at = 0; at < length; at++) target[to + at] = source[from + at];
}
