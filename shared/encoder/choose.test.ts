import { describe, expect, it } from "vitest";
import { ENCODER_RELEASE_BUDGET_BYTES } from "../limits/releases.ts";
import { chooseEncoderRuntime, type EncoderFacts } from "./choose.ts";

const good: EncoderFacts = {
  unsupported: null,
  programBytes: 5_000_000,
  gate: { pictures: 24, leastCosine: 0.99951, passed: true },
  answers: { kept: 24, of: 24 },
};

describe("chooseEncoderRuntime", () => {
  const table: [Partial<EncoderFacts>, "fovea" | "onnxruntime-web", RegExp][] = [
    [{}, "fovea", /0\.99951 on 24 example pictures, 24 of 24/],
    [{ answers: null }, "fovea", /24 example pictures$/],
    [{ unsupported: "Softmax (node a): of what" }, "onnxruntime-web", /left the graph alone: Softmax \(node a\)/],
    [{ programBytes: null }, "onnxruntime-web", /not compiled/],
    [{ programBytes: ENCODER_RELEASE_BUDGET_BYTES + 1 }, "onnxruntime-web", /isolate takes/],
    [{ gate: null }, "onnxruntime-web", /no example pictures/],
    [{ gate: { pictures: 0, leastCosine: 1, passed: true } }, "onnxruntime-web", /no example pictures/],
    [{ gate: { pictures: 24, leastCosine: 0.9987, passed: false } }, "onnxruntime-web", /0\.99870/],
    [{ answers: { kept: 23, of: 24 } }, "onnxruntime-web", /1 of 24 recorded answers changed/],
  ];
  for (const [change, runtime, reason] of table) {
    it(`${JSON.stringify(change)} -> ${runtime}`, () => {
      const choice = chooseEncoderRuntime({ ...good, ...change });
      expect(choice.runtime).toBe(runtime);
      expect(choice.reason).toMatch(reason);
    });
  }
});
