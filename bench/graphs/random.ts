/** Normal numbers from a seed (Box and Muller over a 32-bit generator). */
export class Random {
  #state: number;

  constructor(seed = 1) {
    this.#state = seed;
  }

  /** 32 bits. */
  uint(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return this.#state;
  }

  bytes(count: number): Uint8Array {
    const values = new Uint8Array(count);
    for (let i = 0; i < count; i++) values[i] = this.uint() >>> 24;
    return values;
  }

  #next(): number {
    return (this.uint() + 1) / (2 ** 32 + 1);
  }

  normal(count: number, deviation: number, mean = 0): Float32Array {
    const values = new Float32Array(count);
    for (let i = 0; i < count; i += 2) {
      const [r, angle] = [Math.sqrt(-2 * Math.log(this.#next())), 2 * Math.PI * this.#next()];
      values[i] = mean + deviation * r * Math.cos(angle);
      if (i + 1 < count) values[i + 1] = mean + deviation * r * Math.sin(angle);
    }
    return values;
  }
}
