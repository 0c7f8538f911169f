import { describe, expect, it } from "vitest";
import { normalize } from "../image/processors/normalize.ts";
import { encoderFrames, encoderInputs, encoderRuns, type EncoderSource } from "./encoder-inputs.ts";

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

describe("encoderRuns", () => {
  const mask = { name: "pixel_attention_mask", dtype: "bool", shape: ["b", "n", 4, 5] } as const;
  const pixels = { name: "pixel_values", dtype: "float32", shape: ["b", "n", 3, 4, 5] } as const;
  const tiles = {
    ...samples(1, 3, 3, 4, 5),
    valid: [
      [4, 5],
      [2, 3],
      [1, 5],
    ],
  } as const;

  it("gives tiles one by one, each with its mask, and together what all at once are", () => {
    const whole = encoderInputs([pixels, mask], processor, tiles);
    const [values, masks]: [number[], number[]] = [[], []];
    for (const { pixel_values, shape, extra = [] } of encoderRuns([pixels, mask], processor, tiles)) {
      expect([shape, extra.map(({ shape: of }) => of)]).toEqual([[1, 1, 3, 4, 5], [[1, 1, 4, 5]]]);
      values.push(...pixel_values);
      for (const { data } of extra) masks.push(...Array.from(data, Number));
    }
    expect(Float32Array.from(values)).toEqual(whole.pixel_values);
    expect(masks).toEqual(Array.from(whole.extra?.[0]?.data ?? [], Number));
  });

  it("leaves the leading 1 out where the graph has no such dimension", () => {
    const flat = { ...pixels, shape: ["n", 3, 4, 5] };
    const runs = Array.from(encoderRuns([flat], processor, tiles), ({ shape }) => shape);
    expect(runs).toEqual([
      [1, 3, 4, 5],
      [1, 3, 4, 5],
      [1, 3, 4, 5],
    ]);
  });

  it.each([
    ["reads sizes of the whole picture", [pixels, { name: "image_sizes", dtype: "int64", shape: ["n", 2] }]],
    ["takes just as many frames", [{ ...pixels, shape: ["b", 3, 3, 4, 5] }]],
    ["takes flat patches", [{ ...pixels, shape: ["patches", 12] }]],
  ] as const)("gives all at once where the graph %s", (_, declared) => {
    const source = declared[0].shape.length === 2 ? samples(8, 12) : { ...tiles, image_sizes: [[8, 9] as const] };
    const runs = [...encoderRuns(declared, processor, source)];
    expect(runs).toEqual([encoderInputs(declared, processor, source)]);
  });
});
