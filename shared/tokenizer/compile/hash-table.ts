import { capacityFor, hashBytes, hashPair, slotOf } from "../hash.ts";

/** Pairs (hash, id): the vocabulary by its bytes. Of equal bytes the last one is kept, as a map does. */
export function vocabularySlots(
  entries: Iterable<readonly [bytes: Uint8Array, id: number]>,
  count: number,
): Int32Array {
  const capacity = capacityFor(count);
  const slots = new Int32Array(2 * capacity);
  for (let i = 1; i < slots.length; i += 2) slots[i] = -1;
  for (const [bytes, id] of entries) {
    const hash = hashBytes(bytes, 0, bytes.length);
    let slot = slotOf(hash, capacity);
    while (slots[2 * slot + 1] !== -1) slot = (slot + 1) % capacity;
    slots[2 * slot] = hash;
    slots[2 * slot + 1] = id;
  }
  return slots;
}

/** Triples (left, right, rank). A pair that is listed twice has its last rank, as upstream. */
export function mergeSlots(pairs: readonly (readonly [left: number, right: number])[]): Int32Array {
  const capacity = capacityFor(pairs.length);
  const slots = new Int32Array(3 * capacity);
  for (let i = 0; i < slots.length; i += 3) slots[i] = -1;
  for (const [rank, [left, right]] of pairs.entries()) {
    let slot = slotOf(hashPair(left, right), capacity);
    while (slots[3 * slot] !== -1 && (slots[3 * slot] !== left || slots[3 * slot + 1] !== right)) {
      slot = (slot + 1) % capacity;
    }
    slots.set([left, right, rank], 3 * slot);
  }
  return slots;
}
