import { ACTIVATIONS } from "../graph/steps.ts";
import type { Kernels } from "../kernels.ts";
import { attentionScratchBytes, leftRows, pad8, TILE_BYTES } from "./sizes.ts";

/**
 * The instruction set: what each number of an instruction means, and which bytes the kernel behind it touches. The second is
 * the whole safety of the runtime, because the kernels check nothing: they are total functions of their operands, and an
 * instruction is let in only when every extent lies where it may.
 */

/** `read` and `write` are places; NONE in a `maybe` is no place. */
export type Operand = "read" | "write" | "maybe" | "int" | "float";

/** In a `maybe`: there is none. The kernel gets 0, where never anything is. */
export const NONE = 0xffffffff;

export interface Extent {
  readonly start: number;
  readonly bytes: number;
  readonly write: boolean;
}

export interface Instruction {
  readonly name: Exclude<keyof Kernels, "hasDot7" | "usePairs">;
  readonly operands: readonly Operand[];
  /** The bytes it touches, or a reason why its numbers make no sense. Numbers are as in the file, floats as floats. */
  extents(values: readonly number[]): readonly Extent[] | string;
  /** Multiply-adds, so that long runs can be interrupted evenly. */
  work(values: readonly number[]): number;
}

const read = (start: number, bytes: number): Extent => ({ start, bytes, write: false });
const write = (start: number, bytes: number): Extent => ({ start, bytes, write: true });

function counts(...values: number[]): boolean {
  return values.every((value) => Number.isInteger(value) && value >= 1 && value <= 1 << 26);
}

function lanes(...values: number[]): boolean {
  return values.every((value) => value % 4 === 0);
}

function activation(value: number): boolean {
  return Object.values<number>(ACTIVATIONS).includes(value);
}

/** Bytes from the first to the last element of strided rows; strides in bytes. */
function span(dims: readonly number[], strides: readonly number[], last: number): number {
  return dims.reduce((sum, dim, i) => sum + (dim - 1) * (strides[i] ?? 0), last);
}

const quantize8: Instruction = {
  name: "quantize8",
  operands: ["write", "write", "write", "read", "int", "int"],
  extents: ([out = 0, scales = 0, corrections = 0, from = 0, rows = 0, columns = 0]) =>
    counts(rows, columns) && lanes(columns)
      ? [
          write(out, leftRows(0, rows) * columns),
          write(scales, leftRows(0, rows) * 4),
          write(corrections, leftRows(0, rows) * 4),
          read(from, rows * columns * 4),
        ]
      : "rows or columns",
  work: ([, , , , rows = 0, columns = 0]) => rows * columns * 4,
};

const quantize16: Instruction = {
  name: "quantize16",
  operands: ["write", "write", "read", "int", "int", "int"],
  extents: ([out = 0, scales = 0, from = 0, rows = 0, columns = 0, limit = 0]) =>
    counts(rows, columns, limit) && lanes(columns) && limit <= 32767
      ? [
          write(out, leftRows(1, rows) * columns * 2),
          write(scales, leftRows(1, rows) * 4),
          read(from, rows * columns * 4),
        ]
      : "rows, columns or limit",
  work: ([, , , rows = 0, columns = 0]) => rows * columns * 4,
};

const pack32: Instruction = {
  name: "pack32",
  operands: ["write", "read", "int", "int"],
  extents: ([out = 0, from = 0, rows = 0, columns = 0]) =>
    counts(rows, columns)
      ? [write(out, leftRows(2, rows) * columns * 4), read(from, rows * columns * 4)]
      : "rows or columns",
  work: ([, , rows = 0, columns = 0]) => rows * columns * 4,
};

const linear: Instruction = {
  name: "linear",
  operands: [
    "int",
    "write",
    "read",
    "maybe",
    "maybe",
    "read",
    "maybe",
    "read",
    "maybe",
    "int",
    "int",
    "int",
    "int",
    "write",
  ],
  extents: ([
    kind = 0,
    out = 0,
    left = 0,
    scales = 0,
    corrections = 0,
    right = 0,
    columnScales = 0,
    bias = 0,
    residual = 0,
    rows = 0,
    k = 0,
    n = 0,
    act = 0,
    tile = 0,
  ]) => {
    if (!counts(rows, k, n) || !lanes(k)) return "rows, k or n";
    if (!(kind === 0 || kind === 1 || kind === 2) || !activation(act)) return "kind or activation";
    // The activation runs over whole vectors, in place: with a residual it would come too late.
    if (act !== 0 && (residual !== NONE || !lanes(rows * n))) return "activation here";
    // Each kind needs its scales; those it does not read are NONE, so that no number goes unchecked.
    if ((kind === 2) !== (scales === NONE) || (kind === 2) !== (columnScales === NONE)) return "scales";
    if ((kind === 0) === (corrections === NONE)) return "corrections";
    const [leftWidth, rightWidth] = [[1, 2, 4][kind] ?? 4, [1, 1, 4][kind] ?? 4];
    const extents = [
      write(out, rows * n * 4),
      read(left, leftRows(kind, rows) * k * leftWidth),
      read(right, pad8(n) * k * rightWidth),
      read(bias, pad8(n) * 4),
      write(tile, TILE_BYTES),
    ];
    if (scales !== NONE) extents.push(read(scales, leftRows(kind, rows) * 4));
    if (columnScales !== NONE) extents.push(read(columnScales, pad8(n) * 4));
    if (corrections !== NONE) extents.push(read(corrections, leftRows(kind, rows) * 4));
    if (residual !== NONE) extents.push(read(residual, rows * n * 4));
    return extents;
  },
  work: ([, , , , , , , , , rows = 0, k = 0, n = 0]) => rows * k * n,
};

/**
 * Strides of 0 would let a few bytes make an instruction that never ends, and nothing interrupts one. 65,536 queries by as many
 * keys of width 64: what products of matrices reach in the memory that a program has, and a few seconds.
 */
const MAX_ATTENTION_WORK = 2 ** 38;

const attention: Instruction = {
  name: "attention",
  operands: [
    "write",
    "int",
    "int",
    "read",
    "int",
    "int",
    "read",
    "int",
    "int",
    "read",
    "int",
    "int",
    "int",
    "int",
    "int",
    "int",
    "float",
    "write",
  ],
  extents: ([
    out = 0,
    outHead = 0,
    outRow = 0,
    q = 0,
    qHead = 0,
    qRow = 0,
    k = 0,
    kHead = 0,
    kRow = 0,
    v = 0,
    vHead = 0,
    vRow = 0,
    heads = 0,
    tq = 0,
    tk = 0,
    d = 0,
    scale = 0,
    scratch = 0,
  ]) => {
    if (!counts(heads, tq, tk, d) || !lanes(d) || tk > 65_536 || !Number.isFinite(scale)) return "heads, rows or width";
    if (heads * tq * tk * d > MAX_ATTENTION_WORK) return "number of queries and keys";
    if (!lanes(outHead, outRow, qHead, qRow, kHead, kRow, vHead, vRow)) return "strides";
    return [
      write(out, span([heads, tq], [outHead, outRow], d * 4)),
      read(q, span([heads, tq], [qHead, qRow], d * 4)),
      read(k, span([heads, tk], [kHead, kRow], d * 4)),
      read(v, span([heads, tk], [vHead, vRow], d * 4)),
      write(scratch, attentionScratchBytes(tk, d)),
    ];
  },
  work: ([, , , , , , , , , , , , heads = 0, tq = 0, tk = 0, d = 0]) => heads * tq * tk * d * 2,
};

const layerNorm: Instruction = {
  name: "layerNorm",
  operands: ["write", "read", "read", "read", "int", "int", "float"],
  extents: ([out = 0, from = 0, gamma = 0, beta = 0, rows = 0, columns = 0, eps = 0]) =>
    counts(rows, columns) && lanes(columns) && eps >= 0
      ? [
          write(out, rows * columns * 4),
          read(from, rows * columns * 4),
          read(gamma, columns * 4),
          read(beta, columns * 4),
        ]
      : "rows, columns or eps",
  work: ([, , , , rows = 0, columns = 0]) => rows * columns * 8,
};

const combine: Instruction = {
  name: "combine",
  operands: ["write", "read", "read", "int", "int", "int"],
  extents: ([out = 0, a = 0, b = 0, count = 0, period = 0, multiply = 0]) =>
    counts(count, period) && lanes(count, period) && count % period === 0 && multiply <= 1
      ? [write(out, count * 4), read(a, count * 4), read(b, period * 4)]
      : "count or period",
  work: ([, , , count = 0]) => count * 4,
};

const map: Instruction = {
  name: "map",
  operands: ["write", "read", "int", "float", "float", "int"],
  extents: ([out = 0, from = 0, count = 0, scale = 0, shift = 0, act = 0]) =>
    counts(count) && lanes(count) && Number.isFinite(scale) && Number.isFinite(shift) && activation(act)
      ? [write(out, count * 4), read(from, count * 4)]
      : "count, scale, shift or activation",
  work: ([, , count = 0]) => count * 16,
};

const mean: Instruction = {
  name: "mean",
  operands: ["write", "read", "int", "int", "int"],
  extents: ([out = 0, from = 0, groups = 0, rows = 0, columns = 0]) =>
    counts(groups, rows, columns) && lanes(columns)
      ? [write(out, groups * columns * 4), read(from, groups * rows * columns * 4)]
      : "groups, rows or columns",
  work: ([, , groups = 0, rows = 0, columns = 0]) => groups * rows * columns * 2,
};

/** Five nested loops: a stride of 0 would let a few bytes make a loop without end, so the product is bounded too. */
const MAX_COPIED = 1 << 26;

const copy: Instruction = {
  name: "copy",
  operands: [
    "write",
    "read",
    "int",
    "int",
    "int",
    "int",
    "int",
    "int",
    "int",
    "int",
    "int",
    "int",
    "int",
    "int",
    "int",
    "int",
    "int",
  ],
  extents: ([out = 0, from = 0, ...rest]) => {
    const [dims, outStrides, fromStrides] = [rest.slice(0, 5), rest.slice(5, 10), rest.slice(10, 15)];
    if (!counts(...dims) || !lanes(...outStrides, ...fromStrides)) return "dims or strides";
    if (dims.reduce((a, b) => a * b, 1) > MAX_COPIED) return "more elements than any picture has";
    return [write(out, span(dims, outStrides, 4)), read(from, span(dims, fromStrides, 4))];
  },
  work: ([, , ...rest]) => rest.slice(0, 5).reduce((a, b) => a * b, 4),
};

/** The opcode is the index. New ones are added at the end; one that changes its meaning raises KERNELS_VERSION. */
export const INSTRUCTIONS: readonly Instruction[] = [
  quantize8,
  quantize16,
  pack32,
  linear,
  attention,
  layerNorm,
  combine,
  map,
  mean,
  copy,
];

/** How a release names what runs its encoder: `fovea-encoder@<KERNELS_VERSION>`. */
export const NATIVE_RUNTIME_NAME = "fovea-encoder";

/**
 * Version of what the kernels compute, bit by bit, and of the room that they need: part of a program, whose arena was planned for it,
 * and of the runtime's name, because features are addressed by content.
 */
export const KERNELS_VERSION = 3;
