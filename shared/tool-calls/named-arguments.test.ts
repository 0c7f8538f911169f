import { describe, expect, it } from "vitest";
import { glm } from "./formats/glm.ts";
import { qwenXml } from "./formats/qwen-xml.ts";
import { parse } from "./parse.testing.ts";
import type { FunctionTool } from "./tool-call.ts";

/** A function with one argument `k` of this schema. */
function toolOf(schema: unknown): FunctionTool {
  const $defs = {
    word: { type: "string" },
    "a/b~c": { anyOf: [{ $ref: "#/$defs/word" }, { type: "null" }] },
    circle: { anyOf: [{ $ref: "#/$defs/circle" }, { $ref: "#/$defs/circle" }] },
  };
  return { name: "f", parameters: { type: "object", properties: { k: schema }, $defs }, strict: false };
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

  const nullable = { type: ["string", "null"] };
  const $ref = "#/$defs/a~1b~0c";
  it.each([
    [{ type: "string" }, "null", '"null"'],
    [{ type: "string" }, '"a"', String.raw`"\"a\""`],
    [{ type: ["string"] }, "7", '"7"'],
    [nullable, "2024", '"2024"'],
    [nullable, "null", "null"],
    [nullable, "Paris", '"Paris"'],
    [nullable, '"Paris"', '"Paris"'],
    [{ anyOf: [{ type: "string" }, { type: "null" }] }, "12345", '"12345"'],
    [{ oneOf: [{ const: "1" }, { const: null }] }, "1", '"1"'],
    [{ allOf: [{ type: ["string", "number"] }, { type: ["string", "integer"] }] }, "1.5", '"1.5"'],
    [{ allOf: [{ type: ["string", "number"] }, { type: ["string", "integer"] }] }, "15", "15"],
    [{ type: ["string", "integer"] }, "true", '"true"'],
    [{ type: ["string", "object"] }, '{"a": 1}', '{"a": 1}'],
    [{ type: ["string", "object"] }, "[1]", '"[1]"'],
    [{ enum: ["1", "2"] }, "1", '"1"'],
    [{ enum: ["1", null] }, "1", '"1"'],
    [{ enum: [1, 2] }, "1", "1"],
    [{ const: "true" }, "true", '"true"'],
    [{ $ref: "#/$defs/word" }, "7", '"7"'],
    [{ $ref }, "7", '"7"'],
    [{ $ref }, "null", "null"],
    [{ $ref: "#/$defs/none" }, "7", "7"],
    [{ $ref: "#/$defs/circle" }, "7", "7"],
    [{ type: "integer" }, "seven", '"seven"'],
    [{ type: "unheard of" }, "7", "7"],
    [true, "7", "7"],
  ])("of %j is a text or JSON by its schema: %s is %s", (schema, value, json) => {
    expect(read(schema, value)).toBe(`{"k": ${json}}`);
  });

  it("that no property names is read by what the schema says of all others", () => {
    const parameters = { type: "object", additionalProperties: { type: "string" } };
    const text = "<tool_call>f<arg_key>zip</arg_key><arg_value>12345</arg_value></tool_call>";
    const { calls } = parse(glm, [{ name: "f", parameters, strict: false }], text);
    expect(calls[0]?.arguments).toBe('{"zip": "12345"}');
  });
});
