import { describe, expect, it } from "vitest";
import { glm } from "./formats/glm.ts";
import { qwenXml } from "./formats/qwen-xml.ts";
import { parse } from "./parse.testing.ts";
import type { FunctionTool } from "./tool-call.ts";

/** A function with one argument `k` of this schema. */
function toolOf(schema: unknown): FunctionTool {
  return { name: "f", parameters: { type: "object", properties: { k: schema } }, strict: false };
}

const written = [
  [qwenXml, (value: string) => `<tool_call>\n<function=f>\n<parameter=k>\n${value}\n</parameter>\n</function>`],
  [glm, (value: string) => `<tool_call>f\n<arg_key>k</arg_key>\n<arg_value>${value}</arg_value>\n</tool_call>`],
] as const;

/** What both formats read where this value is written. */
function read(schema: unknown, value: string): string {
  const [one, other] = written.map(([format, write]) => parse(format, [toolOf(schema)], write(value)).calls[0]);
  expect(one).toEqual(other);
  return one?.arguments ?? "";
}

describe("a value between words", () => {
  it.each([
    [{ type: "integer" }, "1234567890123456789"],
    [{ type: "number" }, "1e400"],
    [{ type: "number" }, "1.0"],
    [{ type: "object" }, '{"id":9007199254740993, "a": [12345678901234567890, "\\u00e9"]}'],
    [{ type: "object" }, '{\n  "a": -0.10\n}'],
    [{}, "7.00"],
  ])("of %j is %s, as it is written", (schema, value) => {
    expect(read(schema, value)).toBe(`{"k": ${value}}`);
  });

  it("has no white space of the format in it", () => {
    expect(read({ type: "integer" }, " 7\n")).toBe('{"k": 7}');
  });
});
