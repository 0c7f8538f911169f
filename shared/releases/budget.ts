import { EDGE_RELEASE_BUDGET_BYTES, ENCODER_RELEASE_BUDGET_BYTES, RESIDENT_RELEASES } from "../limits/releases.ts";
import { ReleaseError } from "./error.ts";
import type { Release, Stage, StageName } from "./schema.ts";

/** Stages that run in the encoder Worker; every other one at the edge runs in the Worker that clients talk to. */
const ENCODER_STAGES: ReadonlySet<StageName> = new Set(["vision_encoder", "audio_encoder", "input_projector"]);

export interface Budget {
  readonly worker: "edge" | "encoder";
  readonly memoryBytes: number;
  readonly limitBytes: number;
}

/**
 * What a release takes of each Worker's isolate. The edge holds the text stages of two releases while a canary runs; the
 * encoder Worker holds one encoder at a time.
 */
export function budgetOf(stages: Release["stages"]): readonly Budget[] {
  const sum = (wanted: (name: StageName) => boolean) =>
    (Object.entries(stages) as [StageName, Stage][])
      .filter(([name, stage]) => stage.placement === "edge" && wanted(name))
      .reduce((total, [, stage]) => total + stage.memoryBytes, 0);
  return [
    {
      worker: "edge",
      memoryBytes: RESIDENT_RELEASES * sum((name) => !ENCODER_STAGES.has(name)),
      limitBytes: EDGE_RELEASE_BUDGET_BYTES,
    },
    {
      worker: "encoder",
      memoryBytes: sum((name) => ENCODER_STAGES.has(name)),
      limitBytes: ENCODER_RELEASE_BUDGET_BYTES,
    },
  ];
}

/**
 * Places the stages so that the release fits its isolates: movable ones go to the origin when the encoder Worker cannot
 * hold them, and the edge sends pixels then. Throws ReleaseError `budget_exceeded` when what cannot move does not fit, or
 * when `stay` says that the encoder must run at the edge.
 */
export function fitStages(stages: Release["stages"], stay = false): Release["stages"] {
  const over = budgetOf(stages).find(({ memoryBytes, limitBytes }) => memoryBytes > limitBytes);
  if (over === undefined) return stages;
  const movable = over.worker === "encoder" && !stay;
  const moved = Object.fromEntries(
    Object.entries(stages).map(([name, stage]) => [
      name,
      movable && stage.movable && stage.placement === "edge" ? { ...stage, placement: "origin" as const } : stage,
    ]),
  );
  const still = budgetOf(moved).find(({ memoryBytes, limitBytes }) => memoryBytes > limitBytes);
  if (still === undefined) return moved;
  const mib = (bytes: number) => `${Math.ceil(bytes / 1_048_576)} MiB`;
  throw new ReleaseError(
    "budget_exceeded",
    `the ${still.worker} Worker would need ${mib(still.memoryBytes)} for this release, and has ${mib(still.limitBytes)}`,
  );
}
