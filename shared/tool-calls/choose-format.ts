import { TOOL_CALL_FORMATS } from "./formats/index.ts";
import type { FunctionTool } from "./tool-call.ts";
import type { ToolCallFormat } from "./tool-call-format.ts";
import { ToolCallParser } from "./tool-call-parser.ts";

/** A function that no model knows, and a call of it: what a template is tried with. */
export const PROBE_TOOL: FunctionTool = {
  name: "fovea_probe",
  description: "Does nothing.",
  parameters: {
    type: "object",
    properties: {
      text: { type: "string", description: "Any text." },
      count: { type: "integer", description: "Any number." },
    },
    required: ["text", "count"],
  },
  strict: false,
};
export const PROBE_ARGUMENTS = { text: "fovea", count: 3 } as const;

/** What a chat template wrote when it was tried. */
export interface ToolProbe {
  /** A chat with the probe among its tools; null when the template refused. */
  readonly described: string | null;
  /** The assistant's turn with the call, and what follows; null when the template refused. */
  readonly called: string | null;
}

/**
 * How the model of a template writes tool calls: the format in which the template's own call reads back. A template that
 * describes a format to the model and writes no calls itself is taken by its word. Null when the template takes no tools or
 * writes them as no format here does.
 */
export function chooseToolCallFormat({ described, called }: ToolProbe): ToolCallFormat | null {
  if (described?.includes(PROBE_TOOL.name) !== true) return null;
  if (called?.includes(PROBE_TOOL.name) === true)
    return TOOL_CALL_FORMATS.find((one) => readsBack(one, called)) ?? null;
  return TOOL_CALL_FORMATS.find((one) => one.described?.test(described) === true) ?? null;
}

function readsBack(format: ToolCallFormat, called: string): boolean {
  const parser = new ToolCallParser(format, [PROBE_TOOL]);
  const parts = [...parser.push(called), ...parser.end()];
  const names = parts.flatMap((part) => (part.type === "call" ? [part.name] : []));
  const text = parts.map((part) => (part.type === "arguments" ? part.text : "")).join("");
  return names.join() === PROBE_TOOL.name && text !== "" && isProbe(text);
}

function isProbe(text: string): boolean {
  try {
    return JSON.stringify(JSON.parse(text)) === JSON.stringify(PROBE_ARGUMENTS);
  } catch {
    return false;
  }
}
