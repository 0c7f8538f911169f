import { schemaGrammar } from "./schema-grammar.ts";

/** Nesting of a structural tag; those of tool calls have 5 levels and the schemas of their functions. Beyond: refused. */
const MAX_DEPTH = 96;

/**
 * A structural tag with each of its JSON schemas as a grammar: the library has no other way to say how the JSON of a tag may be
 * written.
 * @throws Error when it is no JSON or nested too deeply
 */
export async function boundWhitespace(tag: string): Promise<string> {
  return JSON.stringify(await bound(JSON.parse(tag), MAX_DEPTH));
}

async function bound(value: unknown, depth: number): Promise<unknown> {
  if (depth === 0) throw new RangeError("The structural tag is nested too deeply.");
  if (Array.isArray(value)) return Promise.all(value.map((item: unknown) => bound(item, depth - 1)));
  if (typeof value !== "object" || value === null) return value;
  if ("type" in value && value.type === "json_schema" && "json_schema" in value) {
    return { type: "grammar", grammar: await schemaGrammar(JSON.stringify(value.json_schema)) };
  }
  const entries = Object.entries(value).map(async ([key, inner]) => [key, await bound(inner, depth - 1)] as const);
  return Object.fromEntries(await Promise.all(entries));
}
