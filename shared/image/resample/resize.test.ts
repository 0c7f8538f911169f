import { describe, expect, it } from "vitest";
import golden from "../../../test/golden/pixels/resize.json";
import { Resampling } from "./filters.ts";
import resampleModule from "./resample.wasm";
import { resize, resizeRows, type Box, type ResizeOptions } from "./resize.ts";
import { createWasmResize } from "./wasm-resize.ts";

/** The generator of resize.py. */
function noise(width: number, height: number): Uint8Array {
  let state = width * 1000 + height;
  return Uint8Array.from({ length: width * height * 3 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(bytes));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const resizers = { TypeScript: resizeRows, SIMD: createWasmResize(resampleModule) };

describe.each(Object.entries(resizers))("resize in %s", (_, rows) => {
  it(`gives the bits of Pillow ${golden.pillow} for all ${golden.cases.length} cases`, async () => {
    const wrong: unknown[] = [];
    for (const [width, height, toWidth, toHeight, resample, box, digest] of golden.cases) {
      const image = { data: noise(Number(width), Number(height)), width: Number(width), height: Number(height) };
      const size = { width: Number(toWidth), height: Number(toHeight), resample: resample as Resampling };
      const options: ResizeOptions = box === null ? size : { ...size, box: box as unknown as Box };
      if ((await sha256(resize(image, options, rows).data)) !== digest) wrong.push([width, height, options]);
    }
    expect(wrong).toEqual([]);
  });

  it("hands a picture of the target size through", () => {
    const image = { data: noise(4, 3), width: 4, height: 3 };
    expect(resize(image, { width: 4, height: 3, resample: Resampling.BICUBIC }, rows)).toBe(image);
    const seen: number[] = [];
    rows(image, { width: 4, height: 3, resample: Resampling.BICUBIC }, (row, y) => {
      seen.push(y);
      expect(row).toEqual(image.data.subarray(y * 12, (y + 1) * 12));
    });
    expect(seen).toEqual([0, 1, 2]);
  });

  it.each([
    [0, 0, 5, 2],
    [1, 1, 1, 2],
    [-1, 0, 4, 3],
    [0, Number.NaN, 4, 3],
  ])("refuses the box %d %d %d %d", (...box) => {
    const image = { data: noise(4, 3), width: 4, height: 3 };
    expect(() => resize(image, { width: 2, height: 2, resample: Resampling.BOX, box }, rows)).toThrow(RangeError);
  });

  it("keeps its scratch memory small for a picture that shrinks to a line", () => {
    const image = { data: new Uint8Array(3 * 2000 * 1500).fill(77), width: 2000, height: 1500 };
    const line = resize(image, { width: 1900, height: 1, resample: Resampling.LANCZOS }, rows);
    expect(line.data).toEqual(new Uint8Array(1900 * 3).fill(77));
  });
});
