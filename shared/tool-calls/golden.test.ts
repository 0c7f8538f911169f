import { describe, expect, it } from "vitest";
import golden from "../../test/golden/tool-calls/golden.json" with { type: "json" };
import { chooseToolCallFormat, PROBE_TOOL } from "./choose-format.ts";
import { TOOL_CALL_FORMATS } from "./formats/index.ts";
import type { FunctionTool } from "./tool-call.ts";
import { parse } from "./parse.testing.ts";

const tools: readonly FunctionTool[] = golden.tools.map((tool) => ({ ...tool, strict: false }));

it.each(golden.templates)("$template writes calls as $format", ({ format, described, called }) => {
  const probe = { described: described ? PROBE_TOOL.name : "", called };
  expect(chooseToolCallFormat(probe)?.name ?? null).toBe(format);
});

const written = golden.templates.flatMap(({ template, format: name, turns }) => {
  const format = TOOL_CALL_FORMATS.find((one) => one.name === name);
  return format === undefined ? [] : [{ template, format, turns }];
});

describe.each(written)("what the chat template of $template wrote", ({ format, turns }) => {
  it.each([Infinity, 1, 7])("reads back in pieces of %d", (size) => {
    expect(turns.length).toBeGreaterThan(6);
    for (const { text, content, calls } of turns) {
      const answer = parse(format, tools, text, Math.min(size, text.length));
      const read = answer.calls.map((call) => [call.name, JSON.parse(call.arguments) as unknown]);
      expect(read, text).toEqual(calls);
      expect(answer.calls.every(({ complete }) => complete)).toBe(true);
      expect(answer.content).toContain(content);
      expect(answer.content).not.toMatch(/get_weather|clock|tool_call|TOOL_CALLS/);
    }
  });
});
