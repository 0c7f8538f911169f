import { describe, expect, it } from "vitest";
import type { Buffer, LinearStep, Step } from "../graph/steps.ts";
import { inPlace } from "./in-place.ts";

const buffer = (id: number, elements = 32): Buffer => ({ id, elements, constant: null });
const slot = (of: Buffer, offset = 0) => ({ buffer: of, offset });
const [stream, next, other, left] = [buffer(0), buffer(1), buffer(2), buffer(3)];

/** next = left x weight + stream, rows `offset / 8` on. */
function sum(change: Partial<LinearStep> = {}): LinearStep {
  const weight = new Float32Array(64);
  const shape = { rows: 4, k: 8, n: 8, weight, bias: null, activation: "none" as const };
  return { kind: "linear", name: "sum", x: slot(left), out: slot(next), residual: slot(stream), ...shape, ...change };
}

const copyOf = (from: Buffer): Step => {
  const strided = { dims: [32], strides: [1] };
  return { kind: "copy", from: { ...slot(from), ...strided }, out: { ...slot(other), ...strided } };
};

describe("inPlace", () => {
  const table: [string, readonly Step[], [number, number][]][] = [
    ["a residual that nobody reads any more is added to", [copyOf(stream), sum()], [[1, 0]]],
    ["in blocks of rows, too", [sum(), sum({ out: slot(next, 32), residual: slot(stream, 32) })], [[1, 0]]],
    [
      "sums of sums stand where the first one stood",
      [sum(), sum({ out: slot(other), residual: slot(next) })],
      [
        [1, 0],
        [2, 0],
      ],
    ],
    ["not one that is read later", [sum(), copyOf(stream)], []],
    ["not one that is what the product reads", [sum({ x: slot(stream) })], []],
    ["not shifted", [sum({ residual: slot(stream, 8) })], []],
    ["not of another size", [sum({ residual: slot(buffer(0, 64)) })], []],
    ["not a constant", [sum({ residual: slot({ ...stream, constant: new Float32Array(32) }) })], []],
    ["not the picture's features", [sum({ residual: slot(buffer(9)) })], []],
  ];
  for (const [name, steps, found] of table) {
    it(name, () => expect([...inPlace(steps, 9)]).toEqual(found));
  }
});
