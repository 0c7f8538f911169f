import type { LinearStep, Slot, Step } from "../graph/steps.ts";
import { bufferMaker, readersOf } from "./readers.ts";

/**
 * Rows that a hidden layer is computed for at once: whole tiles of four, five and six. Weights pass by once a block, which so many
 * rows pay for many times over.
 */
const BLOCK_ROWS = 60;

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
    // Read whole beside that, as the residual of the product that multiplies it, it has to exist as a whole.
    const once = readers.get(step.out.buffer.id)?.length === 1 && after.residual?.buffer !== step.out.buffer;
    if (!once || step.out.offset !== 0 || after.x.offset !== 0) {
      result.push(step);
      continue;
    }
    for (let first = 0; first < step.rows; first += blockSize) {
      const rows = Math.min(blockSize, step.rows - first);
      const slot = { buffer: buffer(rows * step.n), offset: 0 };
      result.push({ ...rowsOf(step, first, rows), out: slot }, { ...rowsOf(after, first, rows), x: slot });
    }
    i++;
  }
  return result;
}
