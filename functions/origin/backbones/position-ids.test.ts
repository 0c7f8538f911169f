import { describe, expect, it } from "vitest";
import { positionIds } from "./position-ids.ts";

const idsOf = (...of: Parameters<typeof positionIds>): number[] | undefined => {
  const data = positionIds(...of)["position_ids"]?.data;
  return data === undefined ? undefined : Array.from(data as BigInt64Array, Number);
};

describe("positionIds", () => {
  it("count on from what is held, and from where the release says", () => {
    const rows = [{ held: 0 }, { held: 5 }];
    expect(idsOf({ positions: "sequential", firstPosition: 0 }, rows, 2)).toEqual([0, 1, 5, 6]);
    expect(idsOf({ positions: "sequential", firstPosition: 1 }, rows, 2)).toEqual([1, 2, 6, 7]);
    expect(idsOf({ positions: "none", firstPosition: 1 }, rows, 2)).toBeUndefined();
  });

  it("stand where the prompt's pictures put them, then go on after the largest", () => {
    const positions = { ids: Int32Array.of(0, 1, 1, 0, 1, 1, 0, 1, 2), delta: 0 };
    const spec = { positions: "mrope", firstPosition: 0 } as const;
    expect(idsOf(spec, [{ held: 1, positions }], 2)).toEqual([1, 1, 1, 1, 1, 2]);
    expect(idsOf(spec, [{ held: 3, positions }], 1)).toEqual([3, 3, 3]);
  });
});
