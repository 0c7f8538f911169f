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
  const rest = matcher.end();
  return { text: text + rest.text, stopped: rest.stopped };
}

/** mulberry32: an integer below `n`. */
function generator(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  };
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
    [["abcd", "bc"], "xabcd", "x", true],
    [["abcd", "bc"], "xabce", "xa", true],
    [["abcd", "bc"], "xabc", "xa", true],
    [["abcd", "bc"], "xab", "xab", false],
    [["abcd", "bcd"], "xabc", "xabc", false],
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
    expect(matcher.end()).toEqual({ text: "", stopped: false });
  });

  it("ends where the first stop string of the whole text begins, whatever the cuts", () => {
    const random = generator(7);
    const word = (letters: number, most: number): string =>
      Array.from({ length: 1 + random(most) }, () => "abcd"[random(letters)]).join("");
    for (let round = 0; round < 3000; round++) {
      const letters = 1 + random(4);
      const stops = Array.from({ length: 1 + random(4) }, () => word(letters, 5));
      const whole = word(letters, 24);
      const found = stops.map((stop) => whole.indexOf(stop)).filter((at) => at !== -1);
      const pieces: string[] = [];
      for (let at = 0, next = 0; at < whole.length; at = next) {
        next = at + 1 + random(6);
        pieces.push(whole.slice(at, next));
      }
      const expected = { text: whole.slice(0, Math.min(whole.length, ...found)), stopped: found.length > 0 };
      expect(run(stops, pieces), JSON.stringify({ stops, pieces })).toEqual(expected);
    }
  });
});
