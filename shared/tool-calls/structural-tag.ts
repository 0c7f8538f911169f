import type { ContentFormat } from "./tag-format.ts";
import type { FunctionTool } from "./tool-call.ts";
import type { ToolCallFormat } from "./tool-call-format.ts";

export interface CallGrammarOptions {
  /** `required`: nothing but calls. `auto`: free text, in which calls follow the grammar. */
  readonly mode: "auto" | "required";
  /** Whether an answer may have more than one call. */
  readonly parallel: boolean;
  /** With `auto`: the answer is a call or JSON of this schema. */
  readonly schema?: unknown;
}

/** The grammar of answers that call these functions, as the text of a structural tag. */
export function callGrammar(
  format: ToolCallFormat,
  tools: readonly FunctionTool[],
  { mode, parallel, schema }: CallGrammarOptions,
): string {
  const { begin, separator, end } = format.around;
  const calls = tools.map((tool) => format.call(tool, { type: "json_schema", json_schema: tool.parameters }));
  const alone = calls.map((tag) => ({ ...tag, begin: begin + tag.begin, end: tag.end + end }));
  return JSON.stringify({ type: "structural_tag", format: answer() });

  function answer(): ContentFormat {
    if (mode === "required") {
      const tags = { type: "tags_with_separator", at_least_one: true, stop_after_first: !parallel } as const;
      if (!parallel || begin === "") return { ...tags, tags: alone, separator };
      const content: ContentFormat = { ...tags, tags: calls, separator };
      // A tag that ends with nothing could not tell where its calls end.
      if (end === "") return { type: "sequence", elements: [{ type: "const_string", value: begin }, content] };
      return { type: "tag", begin, content, end };
    }
    if (schema !== undefined) return { type: "or", elements: [{ type: "json_schema", json_schema: schema }, ...alone] };
    const triggers = [format.trigger];
    return { type: "triggered_tags", triggers, tags: alone, at_least_one: false, stop_after_first: !parallel };
  }
}
