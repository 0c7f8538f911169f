import { describe, expect, it } from "vitest";
import { FoveaError } from "../errors/error.ts";
import { RecordReader } from "./format/reader.ts";
import { RecordWriter } from "./format/writer.ts";
import { KNOWN_PATTERNS } from "./pre-tokenizers/patterns.ts";
import { writePreTokenizers } from "./compile/pre-tokenizer.ts";
import { readPreTokenizer } from "./pre-tokenizers/pre-tokenizer.ts";
import { Pieces } from "./pieces.ts";
import { writeProgram } from "./regex/program.ts";
import { RegexProgram } from "./regex/vm.ts";
import { CharTable } from "./unicode/char-table.ts";
import { categoryOfEveryCodePoint, twoStageTable } from "./unicode/categories.ts";

const table = new CharTable(twoStageTable(categoryOfEveryCodePoint()));
const ALPHABET = Array.from("aBcé\u0301ςǅ\u02b0中の1٣½ \t\n\r\u00a0\u3000'stlveSTRE\u017f-/.!$😀\u0000\u200b\ud7ff_");

/** What the scanner of a pattern makes of a text, as parts. */
function scanned(pattern: string, bytes: Uint8Array): number[] {
  const [record] = writePreTokenizers([
    { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
  ]);
  const preTokenizer = readPreTokenizer(new RecordReader((record ?? new RecordWriter()).finish()), table);
  const pieces = new Pieces();
  pieces.reset(bytes, 0, bytes.length, null);
  preTokenizer.apply(pieces);
  return [...pieces.spans.values.subarray(0, 2 * pieces.spans.count)];
}

/** The same by the regex machine: matches and what is between. */
function matched(program: RegexProgram, bytes: Uint8Array): number[] {
  const parts: number[] = [];
  let done = 0;
  program.forEachMatch(bytes, 0, bytes.length, (start, end) => {
    if (done < start) parts.push(done, start);
    parts.push(start, end);
    done = end;
  });
  if (done < bytes.length) parts.push(done, bytes.length);
  return parts;
}

function programOf(pattern: string): RegexProgram {
  const record = new RecordWriter();
  writeProgram(pattern, record);
  return new RegexProgram(new RecordReader(record.finish()));
}

describe.each([...KNOWN_PATTERNS.keys()])("the scanner of %s", (pattern) => {
  it("cuts as the pattern does", () => {
    const program = programOf(pattern);
    let state = 1;
    for (let round = 0; round < 800; round++) {
      let text = "";
      for (let i = 0; i < 1 + (round % 14); i++) {
        state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
        text += ALPHABET[(state >> 12) % ALPHABET.length] ?? "";
      }
      const bytes = new TextEncoder().encode(text);
      expect(scanned(pattern, bytes), JSON.stringify(text)).toEqual(matched(program, bytes));
    }
  });
});

describe("the regex machine", () => {
  it("has a bound on its steps", () => {
    const bytes = new TextEncoder().encode("a".repeat(4000));
    expect(() => programOf("a*b|a").forEachMatch(bytes, 0, bytes.length, () => undefined)).toThrow(FoveaError);
  });

  it.each(["(a)\\1", "(?<=a)b", "a++", "^a", "a$", "a*", "(?=ab)c", "[[:alpha:]]", "\\p{Greek}", "(a"])(
    "refuses what it lacks: %s",
    (pattern) => expect(() => programOf(pattern)).toThrow("tokenizer.json: pattern"),
  );
});
