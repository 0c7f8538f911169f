import { callList } from "../call-object.ts";
import type { ToolCallFormat } from "../tool-call-format.ts";

const MARKER = "[TOOL_CALLS]";

/** Mistral's templates refuse any other length. */
const ID_LENGTH = 9;

/** `[TOOL_CALLS][{"name": "f", "arguments": {...}}, ...]`: Mistral 7B v0.3, Nemo, Pixtral. */
export const mistral: ToolCallFormat = {
  name: "mistral",
  markers: [MARKER],
  read: (reader) =>
    reader.marked(MARKER, function* () {
      yield* reader.space();
      return yield* callList(reader);
    }),
  call: ({ name }, parameters) => ({
    type: "tag",
    begin: `{"name": "${name}", "arguments": `,
    content: parameters,
    end: "}",
  }),
  around: { begin: `${MARKER}[`, separator: ", ", end: "]" },
  trigger: MARKER,
  idLength: ID_LENGTH,
};

/** `[TOOL_CALLS]f[ARGS]{...}`, one after the other, sometimes with `[CALL_ID]` and an id: Mistral Small 3.2, Devstral, Ministral. */
export const mistralArgs: ToolCallFormat = {
  name: "mistral-args",
  markers: [MARKER, "[CALL_ID]", "[ARGS]"],
  read: (reader) =>
    reader.marked(MARKER, function* () {
      const [name = ""] = (yield* reader.until("[ARGS]"))?.split("[CALL_ID]") ?? [];
      if (name.trim() === "" || name.includes(MARKER)) return false;
      yield* reader.begin(name.trim());
      yield* reader.space();
      if ((yield* reader.json(true)) !== null) yield* reader.finish();
      return true;
    }),
  call: ({ name }, parameters) => ({ type: "tag", begin: `${name}[ARGS]`, content: parameters, end: "" }),
  around: { begin: MARKER, separator: MARKER, end: "" },
  trigger: MARKER,
  idLength: ID_LENGTH,
};
