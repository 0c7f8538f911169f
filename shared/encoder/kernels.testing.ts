import { instantiate, type Kernels } from "./kernels.ts";

const MEMORY_PAGES = 64;

/** A small generator with a seed, so that a failure can be run again. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** Kernels over a memory of their own, and a place for each operand. */
export class KernelBench {
  readonly memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
  readonly kernels: Kernels;
  #next = 1024;

  constructor(module: WebAssembly.Module) {
    // Whatever an operation forgets to write shows as NaN.
    new Uint8Array(this.memory.buffer).fill(0xff);
    this.kernels = instantiate(module, this.memory);
  }

  place(bytes: number): number {
    const at = this.#next;
    this.#next += (bytes + 15) & ~15;
    return at;
  }

  floats(values: ArrayLike<number>): number {
    const at = this.place(values.length * 4);
    new Float32Array(this.memory.buffer, at, values.length).set(values);
    return at;
  }

  bytes(values: Uint8Array): number {
    const at = this.place(values.length);
    new Uint8Array(this.memory.buffer).set(values, at);
    return at;
  }

  bytesAt(at: number, count: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, at, count).slice();
  }

  read(at: number, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, count).slice();
  }
}

export function fill(count: number, next: () => number): Float32Array {
  return Float32Array.from({ length: count }, () => next());
}
