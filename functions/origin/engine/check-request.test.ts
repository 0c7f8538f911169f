import { describe, expect, it } from "vitest";
import { samplingSchema } from "../../../shared/frame/schema.ts";
import { SPEC } from "../../../test/engine/fake-backbone.ts";
import { checkRequest } from "./check-request.ts";

const spec = { ...SPEC, hiddenSize: 2, vocabSize: 100, maxPositions: 64 };

/** @param runs `[offset, length]` of the features */
function check(ids: readonly number[], ...runs: readonly (readonly [number, number])[]): void {
  const features = runs.map(([offset, length]) => {
    return { hash: "a".repeat(64), offset, length, row: 0, rows: new Float32Array(2 * length) };
  });
  const sampling = samplingSchema.parse({});
  const request = {
    id: "x",
    tokenIds: Int32Array.from(ids),
    features,
    sampling,
    salt: "",
    priority: 0,
    deadline: null,
  };
  checkRequest(request, { spec, maxSequences: 4, longest: [64] });
}

describe("checkRequest", () => {
  it("takes placeholders that features cover, all of them and nothing else", () => {
    expect(() => check([1, 3, 3, 5, 3], [1, 2], [4, 1])).not.toThrow();
    expect(() => check([1, 5])).not.toThrow();
    expect(() => check([1, 3, 3, 5], [1, 1])).toThrow("a placeholder has no feature");
    expect(() => check([1, 3, 5])).toThrow("a placeholder has no feature");
    expect(() => check([1, 3, 3, 5], [1, 3])).toThrow("no placeholders");
  });
});
