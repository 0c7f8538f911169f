import { describe, expect, it } from "vitest";
import { chooseToolCallFormat } from "./choose-format.ts";
import { glm } from "./formats/glm.ts";
import { hermes } from "./formats/hermes.ts";
import { TOOL_CALL_FORMATS } from "./formats/index.ts";
import { llama } from "./formats/llama.ts";
import { mistral, mistralArgs } from "./formats/mistral.ts";
import { qwenXml } from "./formats/qwen-xml.ts";
import { parse } from "./parse.testing.ts";
import type { FunctionTool } from "./tool-call.ts";
import type { ToolCallFormat } from "./tool-call-format.ts";
import { ToolCallParser } from "./tool-call-parser.ts";

const tools: readonly FunctionTool[] = ["f", "g"].map((name) => ({
  name,
  parameters: { type: "object", properties: { city: { type: "string" }, n: { type: "integer" } } },
  strict: false,
}));

const rows: [
  what: string,
  format: ToolCallFormat,
  text: string,
  content: string,
  ...calls: [string, string, boolean?][],
][] = [
  ["plain text", hermes, " Hi <b>there</b> \n", " Hi <b>there</b> \n"],
  ["text around calls", hermes, 'A.\n<tool_call>{"name":"f","arguments":{}}</tool_call>\nB.\n', "A.B.", ["f", "{}"]],
  ["white space around calls", hermes, '\n<tool_call>{"name":"f"}</tool_call>\n', "", ["f", "{}"]],
  ["a marker with something else", hermes, "<tool_call>none</tool_call>", "<tool_call>none</tool_call>"],
  ["JSON that is no call", hermes, '<tool_call>{"a": 1}', '<tool_call>{"a": 1}'],
  ["the beginning of a marker", hermes, "1 <tool_cal", "1 <tool_cal"],
  ["arguments first", hermes, '<tool_call>{"arguments": {"n": 1}, "name": "f"}', "", ["f", '{"n": 1}']],
  [
    "members that no call has",
    hermes,
    '<tool_call>{"a": {"name": "x"}, "name": "f", "b": [1], "arguments": {"n": 1}, "c": 1}</tool_call>',
    "",
    ["f", '{"n": 1}'],
  ],
  ["arguments twice", hermes, '<tool_call>{"name": "f", "arguments": {}, "parameters": {"n": 1}}', "", ["f", "{}"]],
  [
    "arguments in a string",
    hermes,
    String.raw`<tool_call>{"name": "f", "arguments": "{\"n\": 1}"}`,
    "",
    ["f", '{"n": 1}'],
  ],
  [
    "a list",
    hermes,
    '<tool_call>[{"name": "f", "arguments": {}}, {"name": "x", "arguments": []}]</tool_call>',
    "",
    ["f", "{}"],
    ["x", "[]"],
  ],
  ["a call cut off", hermes, '<tool_call>{"name": "f", "arguments": {"city": "Par', "", ["f", '{"city": "Par', false]],
  ["a name cut off", hermes, '<tool_call>{"name": "f', '<tool_call>{"name": "f'],
  ["arguments that are no JSON", hermes, '<tool_call>{"name": "f", "arguments": {oops]}', "", ["f", "{oops]"]],
  ["JSON of another kind", llama, '{"name": "Ann", "parameters": {}}', '{"name": "Ann", "parameters": {}}'],
  ["members after a call's own", llama, '{"name": "f", "parameters": {}, "strict": null}', "", ["f", "{}"]],
  ["JSON without a name", llama, ' {"title": [1]}', ' {"title": [1]}'],
  [
    "two calls",
    llama,
    '{"name": "f", "parameters": {}}; {"name": "g", "parameters": {"n": 2}}',
    "",
    ["f", "{}"],
    ["g", '{"n": 2}'],
  ],
  [
    "calls on lines of their own",
    llama,
    '{"name": "f", "parameters": {}}\n{"name": "g", "parameters": {}}\n\n{"name": "f", "parameters": {"n": 2}}\n',
    "",
    ["f", "{}"],
    ["g", "{}"],
    ["f", '{"n": 2}'],
  ],
  [
    "two calls after a tag",
    llama,
    'I look.<|python_tag|>{"name": "f", "parameters": {}}; {"name": "g", "parameters": {}}',
    "I look.",
    ["f", "{}"],
    ["g", "{}"],
  ],
  ["text after a call", llama, '{"name": "f", "parameters": {}}; and text', "; and text", ["f", "{}"]],
  ["other JSON after a call", llama, '{"name": "f", "parameters": {}}\n{"a": 1}', '{"a": 1}', ["f", "{}"]],
  ["a type before the name", llama, '{"type": "function", "name": "f", "parameters": {}}', "", ["f", "{}"]],
  ["a tag before", llama, '<|python_tag|>{"name": "f", "parameters": {}}', "", ["f", "{}"]],
  ["text and a tag", llama, 'I look.\n<|python_tag|>{"name": "f", "parameters": {}}', "I look.", ["f", "{}"]],
  ["a space after the marker", mistral, '[TOOL_CALLS] [{"name": "f", "arguments": {}}]', "", ["f", "{}"]],
  ["no list", mistral, "[TOOL_CALLS] none", "[TOOL_CALLS] none"],
  ["no arguments", mistralArgs, "[TOOL_CALLS]f", "[TOOL_CALLS]f"],
  ["no name", mistralArgs, '[TOOL_CALLS][ARGS]{"n": 1}', '[TOOL_CALLS][ARGS]{"n": 1}'],
  ["an id and no name", mistralArgs, "[TOOL_CALLS] [CALL_ID]7[ARGS]{}", "[TOOL_CALLS] [CALL_ID]7[ARGS]{}"],
  ["a call after a marker alone", mistralArgs, "[TOOL_CALLS]x[TOOL_CALLS]f[ARGS]{}", "[TOOL_CALLS]x", ["f", "{}"]],
  ["an empty name", hermes, '<tool_call>{"name": "", "arguments": {}}', '<tool_call>{"name": "", "arguments": {}}'],
  ["an empty name in XML", qwenXml, "<tool_call><function=></function>", "<tool_call><function=></function>"],
  [
    "no schema for it",
    glm,
    "<tool_call>x<arg_key>a</arg_key><arg_value>7</arg_value></tool_call>",
    "",
    ["x", '{"a": 7}'],
  ],
  [
    "a text that is a number",
    glm,
    "<tool_call>f<arg_key>city</arg_key><arg_value>7</arg_value></tool_call>",
    "",
    ["f", '{"city": "7"}'],
  ],
  ["an argument cut off", glm, "<tool_call>f<arg_key>n</arg_key><arg_value>7</arg_val", "", ["f", "{", false]],
  ["JSON in XML", qwenXml, '<tool_call>{"name": "f"}', '<tool_call>{"name": "f"}'],
];

const LONG = "x".repeat(400_000);

describe("ToolCallParser", () => {
  it.each(rows)("%s", (_what, format, text, content, ...calls) => {
    for (let size = 1; size <= text.length; size++) {
      const answer = parse(format, tools, text, size);
      expect(answer.content).toBe(content);
      expect(answer.calls).toEqual(calls.map(([name, args, complete = true]) => ({ name, arguments: args, complete })));
    }
  });

  it("gives arguments as they come, and holds back no more than a marker", () => {
    const parser = new ToolCallParser(hermes, tools);
    expect(parser.push("Hi <tool")).toEqual([{ type: "content", text: "Hi" }]);
    expect(parser.push("ing")).toEqual([{ type: "content", text: " <tooling" }]);
    expect(parser.push('<tool_call>\n{"name": "f", "argu')).toEqual([{ type: "call", name: "f" }]);
    expect(parser.push('ments": {"city": "P')).toEqual([{ type: "arguments", text: '{"city": "P' }]);
    expect(parser.push('}"}')).toEqual([{ type: "arguments", text: '}"}' }]);
    expect(parser.push("}\n</tool_")).toEqual([{ type: "end" }]);
    expect([...parser.push("call>"), ...parser.end()]).toEqual([]);
  });

  it("gives JSON that is no call as it comes, where calls have no marker", () => {
    const parser = new ToolCallParser(llama, tools);
    expect(parser.push('{"title": "A')).toEqual([{ type: "content", text: '{"title": "A' }]);
  });

  it("reads a long answer in time that grows with its length", () => {
    const text = `<tool_call>{"name": "f", "arguments": {"city": "${LONG}"}}</tool_call>`;
    expect(parse(hermes, tools, text, 4).calls[0]?.arguments).toHaveLength(LONG.length + 12);
  });

  it.each([
    [hermes, `<tool_call>{"a": "${LONG}"}`],
    [qwenXml, `<tool_call><function=${LONG}`],
    [mistralArgs, `[TOOL_CALLS]${LONG}`],
    [llama, `{"name": "${LONG}"}`],
  ] as const)("and one of $name that is held back for long and is no call", (format, text) => {
    expect(parse(format, tools, text, 4).content === text).toBe(true);
  });

  it("never throws, and loses no content, on text of markers in any order", () => {
    const words = [...new Set(TOOL_CALL_FORMATS.flatMap(({ markers }) => markers))];
    words.push(
      '{"name": "f", ',
      '"arguments": ',
      "{",
      "}",
      "[",
      "]",
      '"',
      "\\",
      ", ",
      "f",
      "\n",
      "<function=",
      "<parameter=",
      ">\n",
    );
    let state = 1;
    const next = (): number => (state = (state * 48_271) % 2_147_483_647);
    for (let round = 0; round < 2_000; round++) {
      const text = Array.from({ length: 1 + (next() % 12) }, () => words[next() % words.length]).join("");
      for (const format of TOOL_CALL_FORMATS) {
        const whole = parse(format, tools, text);
        expect(parse(format, tools, text, 1 + (next() % 5))).toEqual(whole);
        if (whole.calls.length === 0 && format !== llama) expect(whole.content).toBe(text);
      }
    }
  });
});

describe("chooseToolCallFormat", () => {
  const described = "You may call fovea_probe.";
  it("takes a template that writes no calls by its word", () => {
    const text = `${described} Answer <tool_call>\n{"name": ...}\n</tool_call>`;
    expect(chooseToolCallFormat({ described: text, called: "" })).toBe(hermes);
    expect(chooseToolCallFormat({ described: text, called: null })).toBe(hermes);
  });

  it("takes none where a template says nothing of tools, or writes something else", () => {
    expect(chooseToolCallFormat({ described: "Hello.", called: '{"name": "fovea_probe"}' })).toBeNull();
    expect(chooseToolCallFormat({ described: null, called: null })).toBeNull();
    expect(chooseToolCallFormat({ described, called: "fovea_probe(text='fovea', count=3)" })).toBeNull();
    expect(
      chooseToolCallFormat({ described, called: '<tool_call>{"name": "fovea_probe", "arguments": {"text": 1}}' }),
    ).toBeNull();
  });
});
