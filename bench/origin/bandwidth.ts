/** Large enough that no cache holds it. */
const BYTES = 256 * 1024 * 1024;

/** Bytes per second that one thread reads from memory: memcmp over two equal buffers, the best of five. */
export function memoryBandwidth(): number {
  const a = Buffer.alloc(BYTES, 1);
  const b = Buffer.alloc(BYTES, 1);
  let best = 0;
  for (let round = 0; round < 5; round++) {
    const started = performance.now();
    if (a.compare(b) !== 0) throw new Error("equal buffers differ");
    best = Math.max(best, (2 * BYTES) / ((performance.now() - started) / 1000));
  }
  return best;
}
