import { describe, expect, it } from "vitest";
import { formatFloors, parseFloors } from "./floors.ts";

describe("version floors", () => {
  it("are read as they were written", () => {
    const text = formatFloors([
      { model: "a", sequence: 3 },
      { model: "b.c", sequence: 12 },
    ]);
    expect([...parseFloors(text)]).toEqual([
      ["a", 3],
      ["b.c", 12],
    ]);
    expect(parseFloors(undefined).size).toBe(0);
  });

  it.each(["{", "[]", "3", '{"a":0}', '{"a":"1"}', '{"../a":1}'])(
    "are refused as %j, so that no typo lowers one",
    (text) => {
      expect(() => parseFloors(text)).toThrow(TypeError);
    },
  );
});
