/** Sizes of packed operands, as assembly/ lays them out. */

/**
 * Rows of a left operand come in tiles: of 5 or 6 for bytes (`kind` 0 of a product), as the machine has it, of 4 otherwise. A program
 * runs on every machine and has room for either.
 */
export function leftRows(kind: number, rows: number): number {
  const tiles = kind === 0 ? [5, 6] : [4];
  return Math.max(...tiles.map((tile) => Math.ceil(rows / tile) * tile));
}

/** Scratch of one tile of sums, [6, 8] at most. */
export const TILE_BYTES = 192;

/** Columns of a right operand come in panels of 8. */
export function pad8(columns: number): number {
  return Math.ceil(columns / 8) * 8;
}

/** Most keys of which values are 16 bits wide where bytes go by pairs. */
const MOST_BY_WORDS = 1032;

/** Scratch of one attention: tiles, scales, packed keys and values of one head, a tile's queries (6 at most) with scores and shares. */
export function attentionScratchBytes(tk: number, d: number): number {
  const [keys, width, fours] = [pad8(tk), pad8(d), Math.ceil(tk / 4)];
  const tiles = 2 * TILE_BYTES + 96 + 64;
  const scales = d * 4 + keys * 4 + width * 4;
  const packed = keys * d + width * 4 * (tk <= MOST_BY_WORDS ? Math.ceil(tk / 2) : fours);
  const rows = d * 6 + keys * 24 + 2 * fours * 24;
  return tiles + scales + packed + rows;
}

/** Largest |x| of a 16-bit activation so that k products with weights of 8 bits stay below 2^31. */
export function limit16(k: number): number {
  return Math.min(32767, Math.floor((2 ** 31 - 1) / (127 * k)));
}
