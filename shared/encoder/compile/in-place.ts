import type { Step } from "../graph/steps.ts";
import { readersOf } from "./readers.ts";

/**
 * Buffers that may take the place of another: a product with a residual that nobody reads any more is added to it where it
 * stands, number by number. By id: the product's buffer -> the residual's. `kept`: read after the last step.
 */
export function inPlace(steps: readonly Step[], kept: number): ReadonlyMap<number, number> {
  const readers = readersOf(steps);
  const places = new Map(steps.map((step, index) => [step, index]));
  const found = new Map<number, number>();
  for (const [begins, step] of steps.entries()) {
    if (step.kind !== "linear" || step.residual === null || found.has(step.out.buffer.id)) continue;
    const { buffer } = step.residual;
    const out = step.out.buffer;
    if (buffer.constant !== null || buffer.elements !== out.elements || buffer.id === kept) continue;
    const later = (readers.get(buffer.id) ?? []).filter((reader) => (places.get(reader) ?? 0) >= begins);
    const sameNumbers = later.every(
      (reader) =>
        reader.kind === "linear" &&
        reader.out.buffer === out &&
        reader.x.buffer !== buffer &&
        reader.residual?.buffer === buffer &&
        reader.residual.offset === reader.out.offset,
    );
    if (sameNumbers) found.set(out.id, found.get(buffer.id) ?? buffer.id);
  }
  return found;
}
