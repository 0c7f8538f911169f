import type { CallReader } from "./call-reader.ts";
import type { ContentFormat } from "./tag-format.ts";
import type { FunctionTool, Reading } from "./tool-call.ts";

/** The words around names and values of arguments that are not written as JSON. */
export interface ArgumentWords {
  readonly key: readonly [before: string, after: string];
  readonly value: readonly [before: string, after: string];
  /** Whether a value stands on lines of its own. */
  readonly lines: boolean;
}

/** Arguments with words around them, given out as JSON one by one; the object is closed by the caller. */
export function* namedArguments(reader: CallReader, words: ArgumentWords, tool: FunctionTool | undefined): Reading {
  yield* reader.arguments("{");
  for (let count = 0; ; count++) {
    yield* reader.space();
    if (!(yield* reader.take(words.key[0]))) return;
    const key = yield* reader.until(words.key[1]);
    if (!words.lines) yield* reader.space();
    if (key === null || !(yield* reader.take(words.value[0]))) return;
    const value = yield* reader.until(words.value[1]);
    if (value === null) return;
    const schema = tool === undefined ? undefined : propertiesOf(tool)[key];
    const text = `${JSON.stringify(key)}: ${toJson(words.lines ? value.replace(/^\n|\n$/g, "") : value, isText(schema))}`;
    yield* reader.arguments(count === 0 ? text : `, ${text}`);
  }
}

/** The same as a grammar: all arguments in the schema's order, of which those that are not required may be left out. */
export function argumentsGrammar(words: ArgumentWords, tool: FunctionTool): readonly ContentFormat[] {
  const required: unknown = tool.parameters["required"];
  const line = words.lines ? "\n" : "";
  const between = words.value[0] === "" ? "" : "\n";
  return Object.entries(propertiesOf(tool)).map(([key, schema]): ContentFormat => {
    const tag = {
      type: "tag",
      begin: words.key[0] + key + words.key[1] + between + words.value[0] + line,
      content: valueGrammar(schema),
      end: `${line}${words.value[1]}\n`,
    } as const;
    if (Array.isArray(required) && required.includes(key)) return tag;
    return { type: "tags_with_separator", tags: [tag], separator: "\n", at_least_one: false, stop_after_first: true };
  });
}

function valueGrammar(schema: unknown): ContentFormat {
  if (!isText(schema)) return { type: "json_schema", json_schema: schema };
  const values = "enum" in schema && Array.isArray(schema.enum) ? schema.enum : [];
  if (values.length === 0) return { type: "any_text" };
  return { type: "or", elements: values.map((value) => ({ type: "const_string", value: String(value) })) };
}

/** Models write texts as they are and everything else as JSON, which stays as written; what is neither is a text. */
function toJson(value: string, isText: boolean): string {
  if (isText) return JSON.stringify(value);
  try {
    JSON.parse(value);
    return value.trim();
  } catch {
    return JSON.stringify(value);
  }
}

function isText(schema: unknown): schema is object {
  return typeof schema === "object" && schema !== null && "type" in schema && schema.type === "string";
}

/** `properties` of a JSON schema, without what the prototype has. */
function propertiesOf({ parameters: { properties } }: FunctionTool): Readonly<Record<string, unknown>> {
  return Object.assign(
    Object.create(null) as Record<string, unknown>,
    typeof properties === "object" ? properties : {},
  );
}
