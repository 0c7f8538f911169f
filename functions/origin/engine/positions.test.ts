import { describe, expect, it } from "vitest";
import { checkGrid, promptPositions } from "./positions.ts";
import type { FeatureRows } from "./request.ts";

const spec = { positions: "mrope", mergeSize: 2 } as const;
const picture = (offset: number, gridThw: readonly [number, number, number]): FeatureRows => {
  const length = (gridThw[0] * gridThw[1] * gridThw[2]) / 4;
  return { hash: "a".repeat(64), offset, length, row: 0, rows: new Float32Array(length), gridThw };
};

describe("promptPositions", () => {
  it("places a picture's cells by row and column, and goes on after its longer side", () => {
    const { ids, delta } = promptPositions(
      { tokenIds: new Int32Array(9), features: [picture(2, [1, 4, 6])] },
      spec,
    ) ?? {
      ids: new Int32Array(0),
      delta: 0,
    };
    expect([...ids.subarray(0, 9)]).toEqual([0, 1, 2, 2, 2, 2, 2, 2, 5]);
    expect([...ids.subarray(9, 18)]).toEqual([0, 1, 2, 2, 2, 3, 3, 3, 5]);
    expect([...ids.subarray(18)]).toEqual([0, 1, 2, 3, 4, 2, 3, 4, 5]);
    expect(delta).toBe(-3);
  });

  it("leaves other models alone", () => {
    const request = { tokenIds: new Int32Array(3), features: [] };
    expect(promptPositions(request, { ...spec, positions: "sequential" })).toBeUndefined();
  });
});

describe("checkGrid", () => {
  it("refuses a grid that is not the picture's rows, or is missing", () => {
    const good = picture(0, [1, 4, 6]);
    expect(() => checkGrid(good, spec)).not.toThrow();
    expect(() => checkGrid({ ...good, gridThw: [1, 4, 8] }, spec)).toThrow("grid_thw");
    expect(() => checkGrid({ ...good, gridThw: [1, 3, 8] }, spec)).toThrow("grid_thw");
    expect(() => checkGrid({ ...good, gridThw: undefined }, spec)).toThrow("grid_thw");
  });
});
