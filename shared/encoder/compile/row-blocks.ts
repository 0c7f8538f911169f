import type { LinearStep, Slot, Step } from "../graph/steps.ts";
import { bufferMaker, readersOf } from "./readers.ts";

/** Most rows that a hidden layer is computed for at once. Weights pass by once a block, which so many rows pay for many times over. */
const BLOCK_ROWS = 96;

/** Tiles have 6 or 4 rows: blocks of a multiple of both leave none half empty. */
const TILE_ROWS = 12;

function shifted(slot: Slot, elements: number): Slot {
  return { buffer: slot.buffer, offset: slot.offset + elements };
}

/** Rows `first` .. `first + rows` of a product. */
function rowsOf(step: LinearStep, first: number, rows: number): LinearStep {
  const { x, out, residual, k, n } = step;
  return {
    ...step,
    rows,
    x: shifted(x, first * k),
    out: shifted(out, first * n),
    residual: residual === null ? null : shifted(residual, first * n),
  };
}

/**
 * A hidden layer that only the next product reads is made in blocks of rows, so that it never exists as a whole: at 1,024 rows of
 * 3,072 it would be the largest thing in the arena. Rows are independent, so not a bit changes.
 */
export function blockRows(steps: readonly Step[], blockSize = BLOCK_ROWS): Step[] {
  const readers = readersOf(steps);
  const buffer = bufferMaker(steps);
  const result: Step[] = [];
  for (let i = 0; i < steps.length; i++) {
    const [step, after] = [steps[i], steps[i + 1]];
    const hidden = step?.kind === "linear" && after?.kind === "linear" && after.x.buffer === step.out.buffer;
    if (!hidden || step.rows !== after.rows || step.n !== after.k || step.rows <= blockSize) {
      if (step !== undefined) result.push(step);
      continue;
    }
    if (readers.get(step.out.buffer.id)?.length !== 1 || step.out.offset !== 0 || after.x.offset !== 0) {
      result.push(step);
      continue;
    }
    const even = step.rows / Math.ceil(step.rows / blockSize);
    const size = Math.min(blockSize, Math.ceil(even / TILE_ROWS) * TILE_ROWS);
    for (let first = 0; first < step.rows; first += size) {
      const rows = Math.min(size, step.rows - first);
      const slot = { buffer: buffer(rows * step.n), offset: 0 };
      result.push({ ...rowsOf(step, first, rows), out: slot }, { ...rowsOf(after, first, rows), x: slot });
    }
    i++;
  }
  return result;
}
