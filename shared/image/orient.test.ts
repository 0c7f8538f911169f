import { describe, expect, it } from "vitest";
import type { Orientation } from "./header/image-header.ts";
import { orient } from "./orient.ts";

const [WIDTH, HEIGHT] = [3, 2];

/** Where pixel (x, y) of the upright picture lies in the stored one: EXIF 2.32, table of Orientation. */
const STORED: Readonly<Record<Orientation, (x: number, y: number) => readonly [x: number, y: number]>> = {
  1: (x, y) => [x, y],
  2: (x, y) => [WIDTH - 1 - x, y],
  3: (x, y) => [WIDTH - 1 - x, HEIGHT - 1 - y],
  4: (x, y) => [x, HEIGHT - 1 - y],
  5: (x, y) => [y, x],
  6: (x, y) => [y, HEIGHT - 1 - x],
  7: (x, y) => [WIDTH - 1 - y, HEIGHT - 1 - x],
  8: (x, y) => [WIDTH - 1 - y, x],
};

describe("orient", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8] as const)("turns orientation %d upright", (orientation) => {
    const stored = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => i * 7);
    const upright = orient({ data: stored.slice(), width: WIDTH, height: HEIGHT }, orientation);
    const sides = orientation >= 5 ? [HEIGHT, WIDTH] : [WIDTH, HEIGHT];
    expect([upright.width, upright.height]).toEqual(sides);
    for (let y = 0; y < upright.height; y += 1) {
      for (let x = 0; x < upright.width; x += 1) {
        const [fromX, fromY] = STORED[orientation](x, y);
        const at = (y * upright.width + x) * 3;
        const from = (fromY * WIDTH + fromX) * 3;
        expect([...upright.data.subarray(at, at + 3)]).toEqual([...stored.subarray(from, from + 3)]);
      }
    }
  });
});
