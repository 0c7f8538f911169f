/** Sizes of packed operands, as assembly/ lays them out. */

/** Rows of a left operand come in tiles of 4. */
export function left4(rows: number): number {
  return Math.ceil(rows / 4) * 4;
}

/** Columns of a right operand come in panels of 8. */
export function pad8(columns: number): number {
  return Math.ceil(columns / 8) * 8;
}

/** Scratch of one attention: tile, scales, packed keys and values of one head, four queries with scores and probabilities. */
export function attentionScratchBytes(tk: number, d: number): number {
  const [keys, width, pairs] = [pad8(tk), pad8(d), Math.ceil(tk / 2)];
  const tile = 128 + 32;
  const scales = keys * 4 + width * 4;
  const packed = keys * d * 2 + pairs * width * 4;
  const query = d * 8;
  // The last vector of a row of probabilities may hold one pair more than there is.
  const rows = keys * 16 + pairs * 16 + 16;
  return tile + scales + packed + query + rows + 128;
}

/** Largest |x| of a 16-bit activation so that k products with weights of 8 bits stay below 2^31. */
export function limit16(k: number): number {
  return Math.min(32767, Math.floor((2 ** 31 - 1) / (127 * k)));
}
