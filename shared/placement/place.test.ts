import { describe, expect, it } from "vitest";
import type { Stage } from "../releases/release.ts";
import { place, type PlacementLimits } from "./place.ts";

const MIB = 1024 * 1024;
const limits: PlacementLimits = { encoderMemoryBytes: 96 * MIB, edgeBusy: false };

const encoder = (change: Partial<Stage>, width: number | string): { readonly stages: { vision_encoder: Stage } } => ({
  stages: {
    vision_encoder: {
      placement: "edge",
      movable: true,
      files: ["onnx/vision_encoder.onnx"],
      dtype: "fp32",
      runtime: "onnxruntime-web@1.30.0",
      inputs: [],
      outputs: [{ name: "image_features", dtype: "float32", shape: ["N", "T", width] }],
      memoryBytes: 60 * MIB,
      ...change,
    },
  },
});
/** 576 rows of 336 x 336 pixels, as LLaVA 1.5. */
const llava = { imageTokens: 576, pixelBytes: 3 * 336 * 336 };
/** 64 rows a tile of 512 x 512 pixels, as SmolVLM. */
const smolvlm = { imageTokens: 64, pixelBytes: 3 * 512 * 512 };

describe("place", () => {
  it.each([
    ["a release that says origin", encoder({ placement: "origin" }, 64), smolvlm, limits, "origin", /release places/],
    ["an encoder that cannot move", encoder({ movable: false }, 4096), llava, limits, "edge", /cannot move/],
    ["an encoder that is too large", encoder({ memoryBytes: 97 * MIB }, 64), smolvlm, limits, "origin", /does not fit/],
    ["a busy edge", encoder({}, 576), smolvlm, { ...limits, edgeBusy: true }, "origin", /busy/],
    ["features of 4.7 MB for 339 kB of pixels", encoder({}, 4096), llava, limits, "origin", /weigh more/],
    ["features of 74 kB for 786 kB of pixels", encoder({}, 576), smolvlm, limits, "edge", /weigh less/],
    ["a width that the graph leaves open", encoder({}, "D"), llava, limits, "edge", /weigh less/],
  ] as const)("%s", (_name, release, request, bounds, where, reason) => {
    const placement = place(release, request, bounds);
    expect(placement.where).toBe(where);
    expect(placement.reason).toMatch(reason);
  });

  it("says what travels", () => {
    expect(place(encoder({}, 576), smolvlm, limits).wireBytes).toBe(64 * 576 * 2);
    expect(place(encoder({}, 4096), llava, limits).wireBytes).toBe(llava.pixelBytes);
  });
});
