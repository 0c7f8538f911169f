/** Something that lives in the arena from the instruction that makes it to the last one that reads it. */
export interface Allocation {
  readonly bytes: number;
  first: number;
  last: number;
  offset: number;
}

const ALIGNMENT = 16;

export function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/**
 * Gives every allocation an offset so that no two that live at once overlap; returns the size of the arena. Largest first,
 * each in the lowest gap between those that live beside it.
 */
export function planArena(allocations: readonly Allocation[]): number {
  const placed: Allocation[] = [];
  let size = 0;
  for (const one of allocations.toSorted((a, b) => b.bytes - a.bytes)) {
    const beside = placed
      .filter((other) => other.first <= one.last && one.first <= other.last)
      .toSorted((a, b) => a.offset - b.offset);
    let offset = 0;
    for (const other of beside) {
      if (offset + aligned(one.bytes) <= other.offset) break;
      offset = Math.max(offset, other.offset + aligned(other.bytes));
    }
    one.offset = offset;
    placed.push(one);
    size = Math.max(size, offset + aligned(one.bytes));
  }
  return size;
}
