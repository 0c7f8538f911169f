import type { AnswerGrammar } from "./answer-grammar.ts";

/** Nesting of a schema, or of a structural tag and its schemas; beyond: refused. */
const MAX_DEPTH = 96;

/** The library compiles schemas with these and takes no notice of them: an answer would look right and not be. */
const IGNORED = ["not", "if", "dependentRequired", "dependentSchemas", "contains"];

/** Whose values are no schemas. */
const VALUES = new Set(["const", "enum", "default", "examples"]);

/** Whose values are schemas by name: what they name is no keyword. */
const NAMED = new Set(["properties", "patternProperties", "$defs", "definitions"]);

/** Why a grammar would promise what nothing keeps; null when that is not so. @throws SyntaxError when it is no JSON */
export function schemaFlaw({ kind, source }: AnswerGrammar): string | null {
  const value: unknown = JSON.parse(source);
  return kind === "json_schema" ? ofSchema(value, MAX_DEPTH) : ofTag(value, MAX_DEPTH);
}

function ofTag(value: unknown, depth: number): string | null {
  return ofAll(value, depth, (key, inner) => (key === "json_schema" ? ofSchema : ofTag)(inner, depth - 1));
}

function ofSchema(schema: unknown, depth: number): string | null {
  if (isObject(schema)) {
    const ignored = IGNORED.find((keyword) => keyword in schema);
    if (ignored !== undefined) return `An answer cannot be held to the keyword ${ignored} of a JSON schema.`;
    if (Array.isArray(schema["allOf"]) && schema["allOf"].length > 1) {
      return "An answer cannot be held to an allOf of several JSON schemas.";
    }
  }
  return ofAll(schema, depth, (key, inner) => {
    if (VALUES.has(key)) return null;
    return NAMED.has(key) ? ofAll(inner, depth - 1, (_, one) => ofSchema(one, depth - 2)) : ofSchema(inner, depth - 1);
  });
}

/** The first flaw among what an object or a list holds. */
function ofAll(value: unknown, depth: number, flawOf: (key: string, inner: unknown) => string | null): string | null {
  if (typeof value !== "object" || value === null) return null;
  if (depth <= 0) return "The JSON schema is nested too deeply.";
  for (const [key, inner] of Object.entries(value)) {
    const flaw = flawOf(key, inner);
    if (flaw !== null) return flaw;
  }
  return null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
