/**
 * A uniform number in [0, 1) from (seed, choice, step) alone, by counter: the same seed gives the same answer whatever
 * else runs in the batch, and a sequence keeps no generator state. Mixing is that of MurmurHash3's 32-bit finalizer.
 */
export function uniform(seed: number, choice: number, step: number): number {
  const low = seed >>> 0;
  const high = Math.floor(seed / 2 ** 32) >>> 0;
  let a = mix(low ^ 0x9e3779b9);
  a = mix(a ^ high);
  a = mix(a ^ Math.imul(choice + 1, 0x85ebca6b));
  a = mix(a ^ Math.imul(step + 1, 0xc2b2ae35));
  const b = mix(a ^ 0x27d4eb2f);
  // 53 random bits: all that a double in [0, 1) can hold.
  return ((a >>> 5) * 2 ** 26 + (b >>> 6)) / 2 ** 53;
}

function mix(value: number): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
