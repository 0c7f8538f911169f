/**
 * Weights as the right operands of assembly/tile.ts: panels of 8 columns, `unit` neighbouring values of k together.
 * Columns are padded with zeros to a multiple of 8; k is a multiple of 4.
 */

/** What multiplies what in one linear layer. The numbers are part of the program format. */
export const LINEAR_KINDS = { i8_u7: 0, i16_i8: 1, f32: 2 } as const;
export type LinearKind = (typeof LINEAR_KINDS)[keyof typeof LINEAR_KINDS];

export interface PackedWeights {
  readonly right: Uint8Array<ArrayBuffer>;
  /** f32 [n padded to 8]: what one step of a column's weights is worth. */
  readonly scales: Float32Array<ArrayBuffer>;
  /** f32 [n padded to 8]. */
  readonly bias: Float32Array<ArrayBuffer>;
}

/** 7 bits: -63..63, stored with 64 added, so that the dot instruction sees 1..127 on the side that must not be negative. */
const LIMIT_7 = 63;
const OFFSET_7 = 64;
const LIMIT_8 = 127;

export function paddedColumns(n: number): number {
  return (n + 7) & ~7;
}

/** Bytes of the packed right operand. */
export function rightBytes(kind: LinearKind, k: number, n: number): number {
  return paddedColumns(n) * k * (kind === LINEAR_KINDS.f32 ? 4 : 1);
}

/** `weights` f32 [k, n] row-major, `bias` f32 [n] or null. Every column is scaled by its largest magnitude. */
export function packWeights(
  kind: LinearKind,
  weights: Float32Array,
  bias: Float32Array | null,
  k: number,
  n: number,
): PackedWeights {
  const columns = paddedColumns(n);
  const limit = kind === LINEAR_KINDS.i8_u7 ? LIMIT_7 : LIMIT_8;
  const offset = kind === LINEAR_KINDS.i8_u7 ? OFFSET_7 : 0;
  const unit = kind === LINEAR_KINDS.i8_u7 ? 4 : kind === LINEAR_KINDS.i16_i8 ? 2 : 1;
  const scales = new Float32Array(columns);
  for (let row = 0; row < k; row++) {
    for (let column = 0; column < n; column++) {
      const size = Math.abs(weights[row * n + column] ?? 0);
      if (size > (scales[column] ?? 0)) scales[column] = size;
    }
  }
  if (kind !== LINEAR_KINDS.f32)
    for (let column = 0; column < n; column++) scales[column] = (scales[column] ?? 0) / limit;
  const right = new Uint8Array(rightBytes(kind, k, n));
  const view = new DataView(right.buffer);
  const padded = new Float32Array(columns);
  if (bias !== null) padded.set(bias);
  for (let column = 0; column < columns; column++) {
    const scale = scales[column] ?? 0;
    for (let row = 0; row < k; row++) {
      const weight = column < n ? (weights[row * n + column] ?? 0) : 0;
      const panel = (column >> 3) * 8 * k;
      const index = panel + ((row / unit) | 0) * 8 * unit + (column & 7) * unit + (row % unit);
      if (kind === LINEAR_KINDS.f32) view.setFloat32(index * 4, weight, true);
      else right[index] = Math.max(-limit, Math.min(limit, Math.round(scale > 0 ? weight / scale : 0))) + offset;
    }
  }
  return { right, scales, bias: padded };
}
