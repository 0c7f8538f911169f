import { describe, expect, it } from "vitest";
import { StopStrings } from "./stop-strings.ts";

function run(stops: string[], pieces: string[]): { text: string; stopped: boolean } {
  const matcher = new StopStrings(stops);
  let text = "";
  for (const piece of pieces) {
    const result = matcher.push(piece);
    text += result.text;
    if (result.stopped) return { text, stopped: true };
  }
  return { text: text + matcher.end(), stopped: false };
}

describe("StopStrings", () => {
  it.each([
    [["dog"], "A cat and a dog.", "A cat and a ", true],
    [["END", "ND"], "the END", "the ", true],
    [["aab"], "aaab", "a", true],
    [["xyz"], "xyxyxy", "xyxyxy", false],
    [[], "anything", "anything", false],
    [["."], "One. Two.", "One", true],
    [["🦊"], "a 🦊 b", "a ", true],
  ])("%j in %j, whatever the cuts", (stops, text, shown, stopped) => {
    for (let a = 0; a <= text.length; a++) {
      for (let b = a; b <= text.length; b++) {
        expect(run(stops, [text.slice(0, a), text.slice(a, b), text.slice(b)])).toEqual({ text: shown, stopped });
      }
    }
  });

  it("holds back no more than could begin a stop string", () => {
    const matcher = new StopStrings(["<stop>"]);
    expect(matcher.push("abc<st")).toEqual({ text: "abc", stopped: false });
    expect(matcher.push("ay")).toEqual({ text: "<stay", stopped: false });
    expect(matcher.end()).toBe("");
  });
});
