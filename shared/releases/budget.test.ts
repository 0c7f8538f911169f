import { describe, expect, it } from "vitest";
import { EDGE_RELEASE_BUDGET_BYTES, ENCODER_RELEASE_BUDGET_BYTES } from "../limits/releases.ts";
import { budgetOf, fitStages } from "./budget.ts";
import { ReleaseError } from "./error.ts";
import type { Stage } from "./release.ts";

function stage(placement: Stage["placement"], movable: boolean, memoryBytes: number): Stage {
  return { placement, movable, memoryBytes, files: ["x"], dtype: "fp32", runtime: "fovea@1", inputs: [], outputs: [] };
}

const stages = (encoder: number, tokenizer: number, movable = true) => ({
  tokenizer: stage("edge", false, tokenizer),
  vision_encoder: stage("edge", movable, encoder),
  backbone: stage("origin", false, 1e12),
});

const faultOf = (work: () => unknown) => {
  try {
    work();
    return "fits";
  } catch (thrown) {
    return thrown instanceof ReleaseError ? thrown.fault : String(thrown);
  }
};

describe("the planner of isolates", () => {
  it("counts text twice (a canary is resident too), one encoder, and nothing of the origin", () => {
    expect(budgetOf(stages(50, 10)).map(({ worker, memoryBytes }) => [worker, memoryBytes])).toEqual([
      ["edge", 20],
      ["encoder", 50],
    ]);
  });

  it.each([
    ["fits to the byte", ENCODER_RELEASE_BUDGET_BYTES, EDGE_RELEASE_BUDGET_BYTES / 2, "edge"],
    ["moves an encoder that is a byte too large", ENCODER_RELEASE_BUDGET_BYTES + 1, 1, "origin"],
  ])("%s", (_, encoder, tokenizer, placement) => {
    expect(fitStages(stages(encoder, tokenizer)).vision_encoder?.placement).toBe(placement);
  });

  it("refuses what cannot move, and an encoder that must stay", () => {
    expect(faultOf(() => fitStages(stages(1, EDGE_RELEASE_BUDGET_BYTES / 2 + 1)))).toBe("budget_exceeded");
    expect(faultOf(() => fitStages(stages(ENCODER_RELEASE_BUDGET_BYTES + 1, 1, false)))).toBe("budget_exceeded");
    expect(faultOf(() => fitStages(stages(ENCODER_RELEASE_BUDGET_BYTES + 1, 1), true))).toBe("budget_exceeded");
  });
});
