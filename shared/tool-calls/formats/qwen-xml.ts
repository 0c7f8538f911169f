import { argumentsGrammar, namedArguments, type ArgumentWords } from "../named-arguments.ts";
import type { ToolCallFormat } from "../tool-call-format.ts";

const WORDS: ArgumentWords = { key: ["<parameter=", ">"], value: ["", "</parameter>"], lines: true };

/** `<tool_call>\n<function=f>\n<parameter=city>\nParis\n</parameter>\n</function>\n</tool_call>`: Qwen3-Coder, Qwen3.5. */
export const qwenXml: ToolCallFormat = {
  name: "qwen-xml",
  markers: ["<tool_call>", "</tool_call>"],
  described: /<function=/,
  read: (reader) =>
    reader.marked("<tool_call>", function* () {
      yield* reader.space();
      const name = (yield* reader.take("<function=")) ? yield* reader.until(">") : null;
      if (name === null || name === "") return false;
      yield* reader.begin(name);
      yield* namedArguments(reader, WORDS, reader.functions.get(name));
      if (!(yield* reader.take("</function>"))) return true;
      yield* reader.arguments("}");
      yield* reader.finish();
      yield* reader.space();
      yield* reader.take("</tool_call>");
      return true;
    }),
  call(tool) {
    const elements = argumentsGrammar(WORDS, tool);
    const [begin, end] = [`<tool_call>\n<function=${tool.name}>\n`, "</function>\n</tool_call>"];
    if (elements.length > 0) return { type: "tag", begin, content: { type: "sequence", elements }, end };
    return { type: "tag", begin: "<tool_call>\n", content: { type: "const_string", value: begin.slice(12) }, end };
  },
  around: { begin: "", separator: "\n", end: "" },
  trigger: "<tool_call>",
};
