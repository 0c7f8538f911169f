import { allowedValues, typeOf, type Allowed } from "./allowed-values.ts";
import type { CallReader } from "./call-reader.ts";
import type { ContentFormat, TagFormat } from "./tag-format.ts";
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
    const allowed = allowedValues(tool === undefined ? undefined : schemaOf(tool, key), tool?.parameters);
    const value = (yield* quotedJson(reader, words.value[1], allowed)) ?? (yield* reader.until(words.value[1]));
    if (value === null) return;
    const json = toJson(words.lines ? value.replace(/^\n|\n$/g, "") : value, allowed);
    yield* reader.arguments(`${count === 0 ? "" : ", "}${JSON.stringify(key)}: ${json}`);
  }
}

/**
 * JSON, which may have the format's own words in its strings, and the end after it; null, with nothing read, where the schema
 * has no such JSON or none stands.
 */
function* quotedJson(reader: CallReader, end: string, allowed: Allowed): Reading<string | null> {
  reader.mark();
  yield* reader.space();
  const first = yield* reader.peek();
  const type = first === "{" ? "object" : first === "[" ? "array" : first === '"' ? "string" : null;
  if (type !== null && !isText(allowed) && allowed.types.includes(type)) {
    const raw = yield* reader.json();
    yield* reader.space();
    if (raw !== null && jsonType(raw) !== null && (yield* reader.take(end))) {
      reader.unmark();
      return raw;
    }
  }
  reader.rewind();
  return null;
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
      ...valueGrammar(schema, tool.parameters, `${line}${words.value[1]}\n`),
    } as const;
    if (Array.isArray(required) && required.includes(key)) return tag;
    return { type: "tags_with_separator", tags: [tag], separator: "\n", at_least_one: false, stop_after_first: true };
  });
}

/** The grammar of a value and what ends it. */
function valueGrammar(schema: unknown, root: unknown, end: string): Pick<TagFormat, "content" | "end"> {
  const allowed = allowedValues(schema, root);
  if (!isText(allowed)) return { content: { type: "json_schema", json_schema: schema }, end };
  if (allowed.texts === null) return { content: { type: "any_text" }, end };
  // A text may be empty, but XGrammar takes no empty string: each has the first character of the end.
  const elements = allowed.texts.map((text) => ({ type: "const_string", value: text + end.charAt(0) }) as const);
  return { content: { type: "or", elements }, end: end.slice(1) };
}

/**
 * Models write texts as they are and everything else as JSON, which stays as written. What could be both is a text where the
 * schema has no other type for it, and so is what is no JSON.
 */
function toJson(written: string, allowed: Allowed): string {
  const type = jsonType(written);
  if (type === null) return JSON.stringify(written);
  const { types } = allowed;
  return isText(allowed) || (types.includes("string") && !types.includes(type))
    ? JSON.stringify(written)
    : written.trim();
}

function jsonType(text: string): Allowed["types"][number] | null {
  try {
    return typeOf(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Whether there are no other values than strings; they are then written as they are, in whatever they look like. */
function isText({ types }: Allowed): boolean {
  return types.every((type) => type === "string") && types.length > 0;
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
