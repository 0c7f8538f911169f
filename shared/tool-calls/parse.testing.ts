import type { FunctionTool } from "./tool-call.ts";
import type { ToolCallFormat } from "./tool-call-format.ts";
import { ToolCallParser } from "./tool-call-parser.ts";

interface ParsedAnswer {
  content: string;
  readonly calls: { readonly name: string; arguments: string; complete: boolean }[];
}

/** Parses a text in pieces of a size, or of sizes. */
export function parse(
  format: ToolCallFormat,
  tools: readonly FunctionTool[],
  text: string,
  size: number | (() => number) = text.length,
): ParsedAnswer {
  const parser = new ToolCallParser(format, tools);
  const pieces: string[] = [];
  for (let at = 0, end = 0; at < text.length; at = end) {
    end = at + (typeof size === "number" ? size : size());
    pieces.push(text.slice(at, end));
  }
  const parts = [...pieces.flatMap((piece) => parser.push(piece)), ...parser.end()];
  const answer: ParsedAnswer = { content: "", calls: [] };
  for (const part of parts) {
    const last = answer.calls.at(-1);
    if (part.type === "content") answer.content += part.text;
    else if (part.type === "call") answer.calls.push({ name: part.name, arguments: "", complete: false });
    else if (last === undefined) throw new Error("arguments of no call");
    else if (part.type === "arguments") last.arguments += part.text;
    else last.complete = true;
  }
  return answer;
}
