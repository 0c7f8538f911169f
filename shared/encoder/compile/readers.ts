import type { Slot, Step } from "../graph/steps.ts";

/** Where a step reads. */
export function reads(step: Step): readonly Slot[] {
  switch (step.kind) {
    case "linear":
      return step.residual === null ? [step.x] : [step.x, step.residual];
    case "layer_norm":
      return [step.from, step.gamma, step.beta];
    case "attention":
      return [step.q, step.k, step.v];
    case "combine":
      return [step.a, step.b];
    default:
      return [step.from];
  }
}

/** The steps that read each buffer, by its id. */
export function readersOf(steps: readonly Step[]): ReadonlyMap<number, readonly Step[]> {
  const readers = new Map<number, Step[]>();
  for (const step of steps) {
    for (const id of new Set(reads(step).map(({ buffer }) => buffer.id))) {
      const known = readers.get(id);
      if (known === undefined) readers.set(id, [step]);
      else known.push(step);
    }
  }
  return readers;
}

/** Makes buffers whose ids none of the steps has. */
export function bufferMaker(steps: readonly Step[]) {
  let next = 1 + Math.max(0, ...steps.flatMap((step) => [step.out, ...reads(step)].map(({ buffer }) => buffer.id)));
  return (elements: number) => ({ id: next++, elements, constant: null });
}
