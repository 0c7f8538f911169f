import { argumentsGrammar, namedArguments, type ArgumentWords } from "../named-arguments.ts";
import type { ToolCallFormat } from "../tool-call-format.ts";

const WORDS: ArgumentWords = { key: ["<arg_key>", "</arg_key>"], value: ["<arg_value>", "</arg_value>"], lines: false };

/** `<tool_call>f\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n</tool_call>`: GLM-4.5 and later. */
export const glm: ToolCallFormat = {
  name: "glm",
  markers: ["<tool_call>", "</tool_call>", ...WORDS.key, ...WORDS.value],
  described: /<arg_key>/,
  read: (reader) =>
    reader.marked("<tool_call>", function* () {
      let name = "";
      for (let next = yield* reader.peek(); /[\w-]/.test(next); next = yield* reader.peek()) {
        name += next;
        yield* reader.take(next);
      }
      yield* reader.space();
      if (name === "" || (yield* reader.peek()) !== "<") return false;
      yield* reader.begin(name);
      yield* namedArguments(reader, WORDS, reader.functions.get(name));
      if (!(yield* reader.take("</tool_call>"))) return true;
      yield* reader.arguments("}");
      yield* reader.finish();
      return true;
    }),
  call(tool) {
    const elements = argumentsGrammar(WORDS, tool);
    const [begin, end] = [`<tool_call>${tool.name}\n`, "</tool_call>"];
    if (elements.length > 0) return { type: "tag", begin, content: { type: "sequence", elements }, end };
    return { type: "tag", begin: "<tool_call>", content: { type: "const_string", value: `${tool.name}\n` }, end };
  },
  around: { begin: "", separator: "\n", end: "" },
  trigger: "<tool_call>",
};
