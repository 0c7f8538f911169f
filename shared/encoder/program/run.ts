import { instantiate } from "../kernels.ts";
import { ProgramError } from "./error.ts";
import { callArguments, type Program } from "./program.ts";

/** Where the program's space begins: address 0 means "none" to the kernels, so nothing lies there. */
const BASE = 1024;
const PAGE_BYTES = 65_536;

/** Multiply-adds between two looks at the outside world: about 25 ms. */
const WORK_PER_TURN = 1e9;

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  /** Share of the work that is done, 0 to 1. */
  readonly onProgress?: ((share: number) => void) | undefined;
  /** Multiply-adds between two turns of the event loop. */
  readonly workPerTurn?: number;
}

/** Lets other events of the isolate run: an abort arrives as one. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** A plain loop: a callback for each of 150,000 pixels costs more than a layer. */
export function allFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

/** A program with its memory: one instance of the kernels, weights in their final place, and the arena behind them. */
export class Machine {
  readonly program: Program;
  readonly #memory: WebAssembly.Memory;
  readonly #calls: readonly { readonly call: () => void; readonly work: number }[];
  readonly #work: number;
  #busy = false;

  /**
   * Takes all memory that the program will ever have. `module`: encoder.wasm or encoder-plain.wasm, which give the same bits.
   * `pairs`: whether byte products go by pairs; when it is not said, they do where the engine has no instruction for them.
   */
  constructor(program: Program, module: WebAssembly.Module, pairs?: boolean) {
    const pages = Math.ceil((BASE + program.weightsBytes + program.arenaBytes) / PAGE_BYTES);
    this.program = program;
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const kernels = instantiate(module, this.#memory);
    // The same bits by other instructions: a program does not know the machine.
    kernels.usePairs(Number(pairs ?? kernels.hasDot7() === 0));
    this.#calls = program.instructions.map((checked) => {
      const kernel: (...values: number[]) => void = kernels[checked.instruction.name];
      const values = callArguments(checked, BASE);
      return { call: () => kernel(...values), work: checked.instruction.work(checked.values) };
    });
    this.#work = this.#calls.reduce((sum, { work }) => sum + work, 0);
  }

  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Where the weights belong: filled by the loader, before the first run. */
  weights(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory.buffer, BASE, this.program.weightsBytes);
  }

  /** Where one picture or tile belongs: f32, in the order of `program.input.dims`. */
  #input(): Float32Array {
    const { offset, dims } = this.program.input;
    return new Float32Array(
      this.#memory.buffer,
      BASE + offset,
      dims.reduce((product, dim) => product * dim, 1),
    );
  }

  /**
   * One picture or tile -> image_features f32 [rows, width], a copy. `write` fills the input in place. Between layers other
   * events run, and an aborted signal ends the run with its reason; the next run starts clean.
   */
  async run(
    write: (input: Float32Array) => void,
    { signal, onProgress, workPerTurn = WORK_PER_TURN }: RunOptions = {},
  ): Promise<Float32Array<ArrayBuffer>> {
    if (this.#busy) throw new ProgramError("The encoder runs one picture at a time.");
    this.#busy = true;
    try {
      signal?.throwIfAborted();
      write(this.#input());
      let [done, sinceTurn] = [0, 0];
      for (const { call, work } of this.#calls) {
        if (sinceTurn > workPerTurn) {
          sinceTurn = 0;
          onProgress?.(done / this.#work);
          await turn();
          signal?.throwIfAborted();
        }
        call();
        done += work;
        sinceTurn += work;
      }
      const { offset, rows, width } = this.program.output;
      const features = new Float32Array(this.#memory.buffer, BASE + offset, rows * width).slice();
      if (!allFinite(features)) throw new ProgramError("The encoder made a feature that is not finite.");
      return features;
    } finally {
      this.#busy = false;
    }
  }
}
