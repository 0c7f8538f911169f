import { describe, expect, it } from "vitest";
import { assembled, GOLDEN, pictureOf, sha256 } from "../../../shared/encoder/program/fixtures.testing.ts";
import { createNativeEncoder } from "./encoder.ts";

const { program, weights } = assembled("vit");
/** All of `pixel_values` at hand. */
const frames = (pixel_values: Float32Array, shape: readonly number[]) => ({
  shape,
  writePixels: (place: Float32Array, start: number) => place.set(pixel_values.subarray(start, start + place.length)),
});

const open = () =>
  createNativeEncoder(program, (place) => {
    place.set(weights);
    return Promise.resolve();
  });

describe("NativeEncoder", () => {
  const pixels = Float32Array.from(pictureOf("vit"));
  const { side } = GOLDEN.vit;

  it("answers like the golden run, one tile or several", async () => {
    const encoder = await open();
    const one = await encoder.encode(frames(pixels, [1, 3, side, side]));
    expect([one.rows, one.width]).toEqual([17, 32]);
    expect(await sha256(Float32Array.from(one.image_features))).toBe(GOLDEN.vit.sha256.i8_u7);
    const two = new Float32Array(pixels.length * 2);
    two.set(pixels, pixels.length);
    const both = await encoder.encode(frames(two, [1, 2, 3, side, side]));
    expect(both.rows).toBe(34);
    expect(both.image_features.subarray(17 * 32)).toEqual(one.image_features);
    expect(encoder.memoryBytes % 65_536).toBe(0);
  });

  it("refuses what its program was not made for", async () => {
    const encoder = await open();
    const table: [Parameters<typeof encoder.encode>[0], string][] = [
      [frames(pixels, [1, 3, side / 2, side * 2]), "takes pixel_values"],
      [frames(pixels, [0, 3, side, side]), "takes pixel_values"],
      [
        frames(
          pixels.map(() => NaN),
          [1, 3, side, side],
        ),
        "not finite",
      ],
      [
        {
          ...frames(pixels, [1, 3, side, side]),
          extra: [{ name: "image_sizes", dtype: "int64", data: new BigInt64Array(2), shape: [1, 2] }],
        },
        "no input image_sizes",
      ],
    ];
    for (const [input, message] of table) await expect(encoder.encode(input)).rejects.toThrow(message);
  });
});
