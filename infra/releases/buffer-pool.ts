/**
 * Buffers that are used again and again. A shard's buffer is 8 MiB outside of V8's heap, and V8 is in no hurry to collect
 * those: without a pool a publish holds several hundred megabytes of buffers that nobody needs any more.
 */
export class BufferPool {
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  readonly #bytes: number;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** Lends the first `length` bytes of a buffer for as long as `work` runs; what is in it is left from others. */
  async lend<T>(length: number, work: (buffer: Uint8Array<ArrayBuffer>) => Promise<T>): Promise<T> {
    const buffer = this.#free.pop() ?? new Uint8Array(this.#bytes);
    try {
      return await work(buffer.subarray(0, length));
    } finally {
      this.#free.push(buffer);
    }
  }
}
