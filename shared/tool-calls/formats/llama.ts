import { callObject } from "../call-object.ts";
import type { CallReader } from "../call-reader.ts";
import type { Reading } from "../tool-call.ts";
import type { ToolCallFormat } from "../tool-call-format.ts";

const TAG = "<|python_tag|>";

/**
 * `{"name": "f", "parameters": {...}}` as the whole answer, sometimes after `<|python_tag|>`, several with `;` or a new line
 * between: Llama 3.1 to 3.3. Nothing marks it, so JSON that names no function of the request stays content.
 */
export const llama: ToolCallFormat = {
  name: "llama",
  markers: [TAG],
  *read(reader) {
    reader.mark();
    yield* reader.space();
    yield* reader.take(TAG);
    yield* calls(reader);
    while (yield* reader.content(TAG)) {
      reader.mark();
      yield* calls(reader);
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

/** Reads one call after the other, and goes back to where the last one ends. */
function* calls(reader: CallReader): Reading {
  for (;;) {
    yield* reader.space();
    if (!(yield* callObject(reader, true))) break;
    reader.mark();
    yield* reader.space();
    yield* reader.take(";");
  }
  reader.rewind();
}
