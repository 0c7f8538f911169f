import { describe, expect, it } from "vitest";
import { describeBox, findBox } from "./box.ts";

describe("findBox", () => {
  it("reads hundredths in the order left, top, right, bottom", () => {
    expect(findBox("[26, 62, 66, 95]")).toEqual({ x1: 0.26, y1: 0.62, x2: 0.66, y2: 0.95 });
    expect(findBox("The truck is at [0,0,99,99].")).toEqual({ x1: 0, y1: 0, x2: 0.99, y2: 0.99 });
  });

  it.each([
    ["no box", "There is no dog."],
    ["three numbers", "[1, 2, 3]"],
    ["no width", "[50, 10, 50, 20]"],
    ["corners swapped", "[66, 62, 26, 95]"],
    ["outside the picture", "[10, 10, 120, 224]"],
    ["an endless number", "[1, 2, 3, 99999999999999999999]"],
  ])("finds none: %s", (_, answer) => {
    expect(findBox(answer)).toBeUndefined();
  });
});

describe("describeBox", () => {
  it("says where the box lies", () => {
    expect(describeBox({ x1: 0.26, y1: 0.62, x2: 0.66, y2: 0.95 })).toBe(
      "Drawn on the picture: from 26 % to 66 % of its width and from 62 % to 95 % of its height.",
    );
  });
});
