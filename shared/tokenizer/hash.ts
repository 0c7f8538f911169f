/**
 * Hashes of the compiled tables. The compiler places entries by them and the reader finds them by the same function, so a
 * change here is a change of the format's version. The tables are fixed at publish time: no text can lengthen a probe.
 */

export const HASH_BASIS = 0x811c9dc5;
export const HASH_PRIME = 0x01000193;

/** FNV-1a with a finisher, since slots are taken from the upper bits. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = HASH_BASIS;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], HASH_PRIME);
  return finishHash(hash);
}

export function finishHash(state: number): number {
  const hash = Math.imul(state ^ (state >>> 15), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

export function hashPair(left: number, right: number): number {
  let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca77);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae3d);
  return hash ^ (hash >>> 16);
}

/** Slots for `count` entries: three in four are taken, so that a miss ends soon and the file stays small. */
export function capacityFor(count: number): number {
  return Math.ceil((count + 1) / 0.75);
}

/** First slot of a hash in a table of `capacity` slots. */
export function slotOf(hash: number, capacity: number): number {
  return Math.floor(((hash >>> 0) * capacity) / 0x1_0000_0000);
}
