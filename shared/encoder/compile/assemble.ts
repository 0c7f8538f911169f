import {
  ACTIVATIONS,
  type Buffer,
  type LinearStep,
  type Slot,
  type Step,
  type Steps,
  type Strided,
} from "../graph/steps.ts";
import { INSTRUCTIONS, KERNELS_VERSION, NONE } from "../program/instructions.ts";
import { writeProgram } from "../program/program.ts";
import { attentionScratchBytes, leftRows, limit16, TILE_BYTES } from "../program/sizes.ts";
import { aligned, planArena, type Allocation } from "./arena.ts";
import { LINEAR_KINDS, packWeights, type LinearKind } from "./pack.ts";
import { groupHeads } from "./head-groups.ts";
import { inPlace } from "./in-place.ts";
import { blockRows } from "./row-blocks.ts";

export interface Assembled {
  readonly program: Uint8Array<ArrayBuffer>;
  readonly weights: Uint8Array<ArrayBuffer>;
}

/** A number of an instruction before places are known. */
type Word =
  | number
  | { readonly float: number }
  | { readonly in: Allocation; readonly bytes: number }
  | { readonly weight: number };

type PlacedWord = number | { readonly weight: number };

interface PlacedWeights {
  readonly kind: LinearKind;
  /** The bias that it was packed with, and how many columns the weights were taken to have. */
  readonly of: Float32Array | null;
  readonly n: number;
  readonly right: PlacedWord;
  readonly scales: PlacedWord;
  readonly bias: PlacedWord;
}

class Assembler {
  readonly #words: Word[] = [];
  readonly #parts: Uint8Array[] = [];
  #weightsBytes = 0;
  #instructions = 0;
  readonly #allocations: Allocation[] = [];
  readonly #buffers = new Map<number, Allocation>();
  readonly #constants = new Map<number, number>();
  /** Rows that were quantised already: q, k and v read the same. */
  readonly #lefts = new Map<string, { left: Allocation; scales: Allocation; corrections: Allocation }>();
  /** Packed weights that were placed already: the blocks of one product share them. */
  readonly #packed = new Map<Float32Array, PlacedWeights[]>();
  readonly #tile = this.#allocate(TILE_BYTES);
  readonly #places: ReadonlyMap<number, number>;

  /** `places`: buffers that stand where another one stood, by id. */
  constructor(places: ReadonlyMap<number, number>) {
    this.#places = places;
  }

  #allocate(bytes: number): Allocation {
    const made = { bytes, first: this.#instructions, last: this.#instructions, offset: 0 };
    this.#allocations.push(made);
    return made;
  }

  #weight(data: Float32Array | Uint8Array): { weight: number } {
    const weight = this.#weightsBytes;
    this.#parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    this.#weightsBytes += aligned(data.byteLength);
    return { weight };
  }

  of(buffer: Buffer): Allocation {
    const id = this.#places.get(buffer.id) ?? buffer.id;
    let known = this.#buffers.get(id);
    if (known === undefined) {
      known = this.#allocate(buffer.elements * 4);
      this.#buffers.set(id, known);
    }
    return known;
  }

  #place({ buffer, offset }: Slot): Word {
    if (buffer.constant !== null) {
      let weight = this.#constants.get(buffer.id);
      if (weight === undefined) {
        ({ weight } = this.#weight(buffer.constant));
        this.#constants.set(buffer.id, weight);
      }
      return { weight: weight + offset * 4 };
    }
    return { in: this.of(buffer), bytes: offset * 4 };
  }

  #emit(name: string, ...words: Word[]): void {
    const opcode = INSTRUCTIONS.findIndex((instruction) => instruction.name === name);
    this.#words.push(opcode, ...words);
    for (const word of words) if (typeof word === "object" && "in" in word) word.in.last = this.#instructions;
    this.#tile.last = this.#instructions;
    this.#instructions++;
  }

  /** The left operand of a product, quantised once for all products that read it. */
  #left(step: LinearStep, kind: LinearKind) {
    const { x, rows, k } = step;
    const key = `${x.buffer.id}:${x.offset}:${rows}:${k}:${kind}`;
    const known = this.#lefts.get(key);
    if (known !== undefined) return known;
    const width = kind === LINEAR_KINDS.i8_u7 ? 1 : kind === LINEAR_KINDS.i16_i8 ? 2 : 4;
    const from = this.#place(x);
    const left = this.#allocate(leftRows(kind, rows) * k * width);
    const scales = this.#allocate(leftRows(kind, rows) * 4);
    const corrections = this.#allocate(leftRows(kind, rows) * 4);
    const at = (allocation: Allocation): Word => ({ in: allocation, bytes: 0 });
    if (kind === LINEAR_KINDS.i8_u7) this.#emit("quantize8", at(left), at(scales), at(corrections), from, rows, k);
    else if (kind === LINEAR_KINDS.i16_i8) this.#emit("quantize16", at(left), at(scales), from, rows, k, limit16(k));
    else this.#emit("pack32", at(left), from, rows, k);
    const made = { left, scales, corrections };
    this.#lefts.set(key, made);
    return made;
  }

  #weights(step: LinearStep, kind: LinearKind, pack: typeof packWeights): PlacedWeights {
    const placed = this.#packed.get(step.weight) ?? [];
    this.#packed.set(step.weight, placed);
    const n = step.columns?.of ?? step.n;
    const known = placed.find((one) => one.kind === kind && one.of === step.bias && one.n === n);
    if (known !== undefined) return known;
    const { right, scales, bias } = pack(kind, step.weight, step.bias, step.k, n);
    const made = {
      kind,
      of: step.bias,
      n,
      right: this.#weight(right),
      scales: kind === LINEAR_KINDS.f32 ? NONE : this.#weight(scales),
      bias: this.#weight(bias),
    };
    placed.push(made);
    return made;
  }

  #linear(step: LinearStep, kind: LinearKind, packed: PlacedWeights): void {
    const { left, scales, corrections } = this.#left(step, kind);
    const at = (allocation: Allocation): Word => ({ in: allocation, bytes: 0 });
    const column = step.columns?.first ?? 0;
    const fromColumn = (word: PlacedWord, bytes: number): PlacedWord =>
      typeof word === "number" ? word : { weight: word.weight + column * bytes };
    this.#emit(
      "linear",
      kind,
      this.#place(step.out),
      at(left),
      kind === LINEAR_KINDS.f32 ? NONE : at(scales),
      kind === LINEAR_KINDS.i8_u7 ? at(corrections) : NONE,
      fromColumn(packed.right, step.k * (kind === LINEAR_KINDS.f32 ? 4 : 1)),
      fromColumn(packed.scales, 4),
      fromColumn(packed.bias, 4),
      step.residual === null ? NONE : this.#place(step.residual),
      step.rows,
      step.k,
      step.n,
      ACTIVATIONS[step.activation],
      at(this.#tile),
    );
  }

  step(step: Step, kindOf: (step: LinearStep) => LinearKind, pack: typeof packWeights): void {
    const headAndRow = ({ strides: [head = 0, row = 0] }: Strided): [number, number] => [head * 4, row * 4];
    switch (step.kind) {
      case "linear": {
        const kind = kindOf(step);
        this.#linear(step, kind, this.#weights(step, kind, pack));
        break;
      }
      case "attention": {
        const { q, k, v, out, scale } = step;
        const [heads = 0, tq = 0, d = 0] = q.dims;
        const tk = k.dims[1] ?? 0;
        const scratch = this.#allocate(attentionScratchBytes(tk, d));
        const places = [out, q, k, v].flatMap((view) => [this.#place(view), ...headAndRow(view)]);
        this.#emit("attention", ...places, heads, tq, tk, d, { float: scale }, { in: scratch, bytes: 0 });
        break;
      }
      case "layer_norm": {
        const { out, from, gamma, beta, rows, columns, eps } = step;
        const places = [out, from, gamma, beta].map((slot) => this.#place(slot));
        this.#emit("layerNorm", ...places, rows, columns, { float: eps });
        break;
      }
      case "combine": {
        const places = [step.out, step.a, step.b].map((slot) => this.#place(slot));
        this.#emit("combine", ...places, step.count, step.period, Number(step.multiply));
        break;
      }
      case "map": {
        const { scale, shift, activation } = step;
        const places = [step.out, step.from].map((slot) => this.#place(slot));
        this.#emit("map", ...places, step.count, { float: scale }, { float: shift }, ACTIVATIONS[activation]);
        break;
      }
      case "mean":
        this.#emit("mean", this.#place(step.out), this.#place(step.from), step.groups, step.rows, step.columns);
        break;
      case "copy": {
        const five = (list: readonly number[], otherwise: number): number[] => [
          ...Array.from({ length: 5 - list.length }, () => otherwise),
          ...list,
        ];
        const bytes = (strides: readonly number[]): number[] => five(strides, 0).map((stride) => stride * 4);
        const [dims, out, from] = [five(step.from.dims, 1), bytes(step.out.strides), bytes(step.from.strides)];
        this.#emit("copy", this.#place(step.out), this.#place(step.from), ...dims, ...out, ...from);
        break;
      }
    }
  }

  finish({ input, output, assumedTrue }: Steps): Assembled {
    this.of(output.slot.buffer).last = this.#instructions;
    const { offset } = output.slot;
    const arenaBytes = planArena(this.#allocations);
    const base = this.#weightsBytes;
    const words = new Uint32Array(this.#words.length);
    const floats = new Float32Array(words.buffer);
    for (const [i, word] of this.#words.entries()) {
      if (typeof word === "number") words[i] = word;
      else if ("float" in word) floats[i] = word.float;
      else words[i] = "weight" in word ? word.weight : base + word.in.offset + word.bytes;
    }
    const weights = new Uint8Array(base);
    let at = 0;
    for (const part of this.#parts) {
      weights.set(part, at);
      at += aligned(part.length);
    }
    const program = writeProgram(
      {
        format: "fovea.encoder/1",
        kernels: KERNELS_VERSION,
        weightsBytes: base,
        arenaBytes,
        input: { offset: base + this.of(input.buffer).offset, dims: input.dims },
        output: {
          offset: base + this.of(output.slot.buffer).offset + offset * 4,
          rows: output.rows,
          width: output.width,
        },
        assumedTrue,
      },
      words,
    );
    return { program, weights };
  }
}

/**
 * Steps -> program and weights. `kindOf` says how each product is computed. `pack` may be a memo of packWeights: the gate
 * assembles the same steps many times.
 */
export function assemble(
  steps: Steps,
  kindOf: (step: LinearStep) => LinearKind,
  pack: typeof packWeights = packWeights,
  sizes: { readonly blockRows?: number; readonly groupBytes?: number } = {},
): Assembled {
  const parts = blockRows(groupHeads(steps.steps, sizes.groupBytes), sizes.blockRows);
  const assembler = new Assembler(inPlace(parts, steps.output.slot.buffer.id));
  // The picture is there before the first instruction.
  assembler.of(steps.input.buffer);
  for (const step of parts) assembler.step(step, kindOf, pack);
  return assembler.finish(steps);
}
