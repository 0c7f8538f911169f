import { callList, callObject } from "../call-object.ts";
import type { ToolCallFormat } from "../tool-call-format.ts";

/**
 * `<tool_call>\n{"name": "f", "arguments": {...}}\n</tool_call>`, one after the other: Hermes, Qwen2.5, Qwen3, Granite 4; SmolLM
 * writes a list of calls between one pair.
 */
export const hermes: ToolCallFormat = {
  name: "hermes",
  markers: ["<tool_call>", "</tool_call>"],
  described: /<tool_call>\s*[{[]/,
  read: (reader) =>
    reader.marked("<tool_call>", function* () {
      yield* reader.space();
      const isList = (yield* reader.peek()) === "[";
      if (!(yield* isList ? callList(reader) : callObject(reader))) return false;
      yield* reader.space();
      yield* reader.take("</tool_call>");
      return true;
    }),
  call: ({ name }, parameters) => ({
    type: "tag",
    begin: `<tool_call>\n{"name": "${name}", "arguments": `,
    content: parameters,
    end: "}\n</tool_call>",
  }),
  around: { begin: "", separator: "\n", end: "" },
  trigger: "<tool_call>",
};
