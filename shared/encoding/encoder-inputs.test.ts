import { describe, expect, it } from "vitest";
import { normalize } from "../image/processors/normalize.ts";
import { encoderFrames, encoderInputs, type EncoderSource } from "./encoder-inputs.ts";

/** Every sample becomes another number, and none 0, which padding is. */
const table = Float32Array.from({ length: 3 * 256 }, (_, i) => i / 7 + 1);
const processor = { toPixelValues: (source: EncoderSource, into?: Float32Array) => normalize(source, table, into) };

function samples(...shape: number[]): Pick<EncoderSource, "pixels" | "shape" | "masked" | "num_image_tokens"> {
  const pixels = new Uint8Array(shape.reduce((product, dim) => product * dim, 1)).map((_, i) => i * 31);
  return { pixels, shape, masked: true, num_image_tokens: [] };
}

describe("encoderFrames", () => {
  const declared = [
    { name: "pixel_values", dtype: "float32", shape: ["n", 3, 4, 5] },
    { name: "pixel_attention_mask", dtype: "bool", shape: ["n", 4, 5] },
  ] as const;
  const valid = [
    [4, 5],
    [2, 3],
    [1, 5],
  ] as const;

  it.each([
    ["frames", samples(3, 3, 4, 5)],
    ["tiles with padding", { ...samples(1, 3, 3, 4, 5), valid }],
  ])("gives %s one by one as they are in pixel_values", (_, source) => {
    const whole = encoderInputs(declared, processor, source);
    const { writePixels, shape, extra } = encoderFrames(declared, processor, source);
    // What stood there before must not shine through padding.
    const filled = (start: number, count: number): Float32Array => {
      const place = new Float32Array(count).fill(NaN);
      writePixels(place, start);
      return place;
    };
    expect([shape, extra]).toEqual([whole.shape, whole.extra]);
    for (let at = 0; at < whole.pixel_values.length; at += 60)
      expect(filled(at, 60)).toEqual(whole.pixel_values.subarray(at, at + 60));
    expect(filled(60, 120)).toEqual(whole.pixel_values.subarray(60));
  });

  it("gives flat patches as a whole", () => {
    const source = samples(8, 12);
    const frames = encoderFrames(declared.slice(0, 1), processor, source);
    const place = new Float32Array(96);
    frames.writePixels(place, 0);
    expect(place).toEqual(encoderInputs(declared.slice(0, 1), processor, source).pixel_values);
  });
});
