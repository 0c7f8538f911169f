import { allowedTypes, typeOf, type JsonType } from "./allowed-types.ts";
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
    const types = allowedTypes(tool === undefined ? undefined : schemaOf(tool, key), tool?.parameters);
    const json = toJson(words.lines ? value.replace(/^\n|\n$/g, "") : value, types);
    yield* reader.arguments(`${count === 0 ? "" : ", "}${JSON.stringify(key)}: ${json}`);
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
      content: valueGrammar(schema, tool.parameters),
      end: `${line}${words.value[1]}\n`,
    } as const;
    if (Array.isArray(required) && required.includes(key)) return tag;
    return { type: "tags_with_separator", tags: [tag], separator: "\n", at_least_one: false, stop_after_first: true };
  });
}

function valueGrammar(schema: unknown, root: unknown): ContentFormat {
  if (!isText(allowedTypes(schema, root))) return { type: "json_schema", json_schema: schema };
  const listed = typeof schema === "object" && schema !== null && "enum" in schema ? schema.enum : [];
  const values = Array.isArray(listed) ? (listed as readonly unknown[]) : [];
  if (values.length === 0) return { type: "any_text" };
  return { type: "or", elements: values.map((value) => ({ type: "const_string", value: String(value) })) };
}

/**
 * Models write texts as they are and everything else as JSON, which stays as written. What could be both is a text where the
 * schema has no other type for it, and so is what is no JSON.
 */
function toJson(written: string, types: ReadonlySet<JsonType>): string {
  const type = jsonType(written);
  if (type === null) return JSON.stringify(written);
  return isText(types) || (types.has("string") && !types.has(type)) ? JSON.stringify(written) : written.trim();
}

function jsonType(text: string): JsonType | null {
  try {
    return typeOf(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Whether there are no other values than strings; they are then written as they are, in whatever they look like. */
function isText(types: ReadonlySet<JsonType>): boolean {
  return types.size === 1 && types.has("string");
}

function schemaOf(tool: FunctionTool, key: string): unknown {
  return propertiesOf(tool)[key] ?? tool.parameters["additionalProperties"];
}

/** `properties` of a JSON schema, without what the prototype has. */
function propertiesOf({ parameters: { properties } }: FunctionTool): Readonly<Record<string, unknown>> {
  return Object.assign(
    Object.create(null) as Record<string, unknown>,
    typeof properties === "object" ? properties : {},
  );
}
