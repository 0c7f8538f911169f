/** Rows inside a cache tensor `[heads, room, head_dim]` that starts at `offset` of `array`. */
export interface RowPlace {
  readonly array: Float32Array;
  readonly offset: number;
  readonly room: number;
  /** The first row. */
  readonly at: number;
}

/** Copies `count` rows of every head from one cache tensor to another; the two may have different room. */
export function copyRows(source: RowPlace, target: RowPlace, count: number, heads: number, headDim: number): void {
  for (let head = 0; head < heads; head++) {
    const from = source.offset + (head * source.room + source.at) * headDim;
    const to = target.offset + (head * target.room + target.at) * headDim;
    target.array.set(source.array.subarray(from, from + count * headDim), to);
  }
}
