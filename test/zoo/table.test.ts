import { describe, expect, it } from "vitest";
import { withRows } from "./table.ts";

const document = (...rows: string[]): string =>
  [
    "Before.",
    "<!-- zoo: `npm run zoo` writes this table -->",
    "",
    "| model | family | encoder at the edge | encoder at the origin | frame, features | frame, pixels |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
    "",
    "<!-- zoo -->",
    "After.",
  ].join("\n");

describe("withRows", () => {
  it("replaces the rows of models that were asked, adds new ones, keeps the others", () => {
    const before = document("| a   | x | 1 | 2 | 3 | 4 |", "| b | x | 1 | 2 | 3 | 4 |");
    const after = withRows(before, [
      ["b", "x", "5", "6", "7", "8"],
      ["c", "y", "1", "2", "3", "4"],
    ]);
    expect(after).toBe(document("| a | x | 1 | 2 | 3 | 4 |", "| b | x | 5 | 6 | 7 | 8 |", "| c | y | 1 | 2 | 3 | 4 |"));
  });

  it("refuses a document without its marks", () => {
    expect(() => withRows("Before.\nAfter.", [])).toThrow("no <!-- zoo");
  });
});
