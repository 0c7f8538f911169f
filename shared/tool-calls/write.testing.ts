import type { ContentFormat } from "./tag-format.ts";
import type { FunctionTool } from "./tool-call.ts";
import type { ToolCallFormat } from "./tool-call-format.ts";

export interface WrittenCall {
  readonly tool: FunctionTool;
  /** The arguments as one JSON text. */
  readonly json: string;
  /** The same one by one, in the order of the tool's properties, as formats with words around values write them. */
  readonly values: readonly string[];
}

/** An answer of calls, in the words that the format's own grammar has around them. */
export function writeCalls(format: ToolCallFormat, calls: readonly WrittenCall[]): string {
  const { begin, separator, end } = format.around;
  return begin + calls.map((call) => writeCall(format, call)).join(separator) + end;
}

function writeCall(format: ToolCallFormat, { tool, json, values }: WrittenCall): string {
  const { begin, content, end } = format.call(tool, { type: "json_schema", json_schema: tool.parameters });
  if (content.type !== "sequence") return begin + written(content, json) + end;
  return begin + content.elements.map((element, i) => written(element, values[i] ?? "")).join("") + end;
}

function written(content: ContentFormat, value: string): string {
  if (content.type === "const_string") return content.value;
  if (content.type === "tag") return content.begin + value + content.end;
  if (content.type !== "tags_with_separator") return value;
  return content.tags.map((tag) => written(tag, value)).join("");
}
