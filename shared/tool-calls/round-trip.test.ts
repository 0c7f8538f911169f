import { describe, expect, it } from "vitest";
import { glm } from "./formats/glm.ts";
import { TOOL_CALL_FORMATS, TOOL_CALL_MARKERS } from "./formats/index.ts";
import { qwenXml } from "./formats/qwen-xml.ts";
import { parse } from "./parse.testing.ts";
import { writeCalls, type WrittenCall } from "./write.testing.ts";

let state = 7;
const upTo = (count: number): number => (state = (state * 48_271) % 2_147_483_647) % count;
const pick = (values: readonly string[]): string => values[upTo(values.length)] ?? "";
const some = <T>(most: number, one: (at: number) => T): T[] =>
  Array.from({ length: upTo(most + 1) }, (_, at) => one(at));

const NUMBERS = ["0", "-0", "7", "1.0", "1e400", "-1.50E+3", "1234567890123456789", "9007199254740993"];
const PIECES = [
  ...String.raw`a é 東京 😀 " \ \n / { } [ ] , : ; = > < null 7 "name": <function=x> </function> <parameter=x>`.split(
    " ",
  ),
  " ",
  "\n",
  "\t",
  "\u0000",
  "\u2028",
  "</parameter>",
  "__proto__",
  ...TOOL_CALL_MARKERS,
];
const text = (): string => some(5, () => pick(PIECES)).join("");

/** JSON of a string, some of its characters as escapes. */
function quoted(value: string): string {
  return JSON.stringify(value).replace(/[é東京/x]/g, (char) =>
    upTo(3) > 0 ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** JSON as a model may write it: nested, with white space anywhere. */
function json(depth: number): string {
  const kind = upTo(depth === 0 ? 3 : 5);
  if (kind === 0) return pick(NUMBERS);
  if (kind === 1) return pick(["true", "false", "null"]);
  if (kind === 2) return quoted(text());
  return kind === 3 ? `[${list(() => json(depth - 1))}]` : object(depth);
}

function object(depth: number): string {
  return `{${list(() => `${quoted(text())}:${space()}${json(depth - 1)}`)}}`;
}

const space = (): string => pick(["", "", " ", "\n  "]);
const list = (one: () => string): string => space() + some(3, () => space() + one() + space()).join(",");

/** A value between words: its schema, how it is written, and the JSON that it is. */
function value(end: string): { readonly schema: object; readonly written: string; readonly read: string } {
  const kind = upTo(4);
  const written =
    [text().replaceAll(end, ""), json(3), object(3), pick([...NUMBERS, "null", quoted(text())])][kind] ?? "";
  const schema = [{ type: "string" }, {}, { type: "object" }, { type: ["string", "null"] }][kind] ?? {};
  const isText = kind === 0 || (kind === 3 && NUMBERS.includes(written));
  return { schema, written, read: isText ? JSON.stringify(written) : written };
}

/** A call between words, and its arguments as JSON. */
function worded(name: string, end: string): { readonly call: WrittenCall; readonly read: string } {
  const values = new Map(some(4, () => [text().replaceAll(">", ""), value(end)]));
  const properties = Object.fromEntries([...values].map(([key, { schema }]) => [key, schema]));
  const parameters = { type: "object", properties, required: some(4, () => pick([...values.keys()])) };
  const all = Object.keys(properties).map((key) => [key, values.get(key)] as const);
  return {
    call: { tool: { name, parameters, strict: true }, json: "", values: all.map(([, one]) => one?.written ?? "") },
    read: `{${all.map(([key, one]) => `${JSON.stringify(key)}: ${one?.read}`).join(", ")}}`,
  };
}

function plain(name: string): ReturnType<typeof worded> {
  const read = object(4);
  return { call: { tool: { name, parameters: {}, strict: false }, json: read, values: [] }, read };
}

const END = new Map([
  [qwenXml, "</parameter>"],
  [glm, "</arg_value>"],
]);

describe.each(TOOL_CALL_FORMATS)("calls in the words of $name", (format) => {
  const end = END.get(format);
  it("read back as they are written, whole and in pieces", () => {
    for (let round = 0; round < 400; round++) {
      const calls = [0, ...some(2, (at) => at + 1)].map((at) => {
        const name = `${pick(["f", "get_x", "a-1", "name", "7"])}_${at}`;
        return end === undefined ? plain(name) : worded(name, end);
      });
      const tools = calls.map(({ call }) => call.tool);
      const answer = writeCalls(
        format,
        calls.map(({ call }) => call),
      );
      const expected = calls.map(({ call, read }) => ({ name: call.tool.name, arguments: read, complete: true }));
      for (const size of [answer.length, 1, () => 1 + upTo(12)]) {
        expect(parse(format, tools, answer, size), answer).toEqual({ content: "", calls: expected });
      }
    }
  });
});
