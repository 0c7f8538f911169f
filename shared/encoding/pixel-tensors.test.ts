import { describe, expect, it } from "vitest";
import { FoveaError } from "../errors/error.ts";
import { tensorOf, type Tensor } from "../safetensors/dtypes.ts";
import type { EncoderSource } from "./encoder-inputs.ts";
import { fromPixelTensors, toPixelTensors } from "./pixel-tensors.ts";

const tiles: EncoderSource = {
  pixels: new Uint8Array(2 * 3 * 4 * 5).map((_, i) => i),
  shape: [1, 2, 3, 4, 5],
  valid: [
    [4, 5],
    [2, 3],
  ],
  image_sizes: [[40, 50]],
  masked: true,
  num_image_tokens: [8],
};
const patches: EncoderSource = {
  pixels: new Uint8Array(8 * 12),
  shape: [8, 12],
  image_grid_thw: [[1, 2, 4]],
  qformer_input_ids: [2, 7, 3],
  masked: false,
  num_image_tokens: [2],
};

function read(source: EncoderSource, change: Readonly<Record<string, Tensor>> = {}): EncoderSource {
  const { tensors, inputs } = toPixelTensors("pixels.0", source);
  return fromPixelTensors("pixels.0", inputs, new Map(Object.entries({ ...tensors, ...change })));
}

const i32 = (shape: readonly number[], ...values: number[]): Tensor => tensorOf("I32", shape, Int32Array.from(values));

describe("pixel tensors", () => {
  it.each([tiles, patches])("come back as they were, but for what the encoder does not read", (source) => {
    expect(read(source)).toEqual({ ...source, masked: false, num_image_tokens: [] });
  });

  it.each([
    ["a grid of more patches than there are", patches, { "pixels.0.image_grid_thw": i32([1, 3], 1, 4, 4) }],
    ["a grid with a zero", patches, { "pixels.0.image_grid_thw": i32([2, 3], 1, 2, 4, 0, 2, 4) }],
    ["a negative grid", patches, { "pixels.0.image_grid_thw": i32([1, 3], -1, -2, 4) }],
    ["a negative id", patches, { "pixels.0.qformer_input_ids": i32([1, 1], -1) }],
    ["a picture beyond its frame", tiles, { "pixels.0.valid": i32([2, 2], 4, 5, 5, 5) }],
    ["fewer frames than there are", tiles, { "pixels.0.valid": i32([1, 2], 4, 5) }],
    ["a picture of no height", tiles, { "pixels.0.image_sizes": i32([1, 2], 0, 5) }],
    ["two channels", tiles, { "pixels.0": tensorOf("U8", [1, 3, 2, 4, 5], new Uint8Array(120)) }],
    ["no pixels", tiles, { "pixels.0": tensorOf("U8", [1, 0, 3, 4, 5], new Uint8Array(0)) }],
    ["too many pixels", patches, { "pixels.0": tensorOf("U8", [8, 3_000_000], new Uint8Array(24_000_000)) }],
  ])("refuse %s", (_name, source, change) => {
    expect(() => read(source, change)).toThrow(FoveaError);
  });
});
