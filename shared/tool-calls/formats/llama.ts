import { callObject } from "../call-object.ts";
import type { ToolCallFormat } from "../tool-call-format.ts";

/**
 * `{"name": "f", "parameters": {...}}` as the whole answer, sometimes after `<|python_tag|>`, several with `;` between: Llama 3.1
 * to 3.3. Nothing marks it, so JSON that names no function of the request stays content.
 */
export const llama: ToolCallFormat = {
  name: "llama",
  markers: ["<|python_tag|>"],
  *read(reader) {
    reader.mark();
    yield* reader.space();
    yield* reader.take("<|python_tag|>");
    do {
      yield* reader.space();
      if (yield* callObject(reader, true)) reader.mark();
      else break;
      yield* reader.space();
    } while (yield* reader.take(";"));
    reader.rewind();
    while (yield* reader.content("<|python_tag|>")) {
      reader.mark();
      yield* reader.space();
      if (!(yield* callObject(reader, true))) reader.rewind();
    }
  },
  call: ({ name }, parameters) => ({
    type: "tag",
    begin: `{"name": "${name}", "parameters": `,
    content: parameters,
    end: "}",
  }),
  around: { begin: "", separator: "; ", end: "" },
  trigger: '{"name": "',
};
