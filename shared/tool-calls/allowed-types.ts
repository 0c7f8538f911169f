/** `number` stands for numbers that are no integers. */
const TYPES = ["string", "null", "boolean", "integer", "number", "object", "array"] as const;
export type JsonType = (typeof TYPES)[number];

/** Schemas that are looked into for one value; what lies beyond could be anything. References may lead in circles. */
const MAX_SCHEMAS = 512;

/**
 * Types that values of a JSON schema may have, as far as its `type`, `enum`, `const`, branches and references say; all of them
 * where it says nothing.
 * @param root what references into the same document lead into
 */
export function allowedTypes(schema: unknown, root: unknown): ReadonlySet<JsonType> {
  let left = MAX_SCHEMAS;
  return new Set(typesOf(schema));

  function typesOf(one: unknown): readonly JsonType[] {
    if (one === false) return [];
    if (left-- <= 0 || typeof one !== "object" || one === null) return TYPES;
    const { type, enum: values, anyOf, oneOf, allOf, $ref } = one as Record<string, unknown>;
    const said: (readonly JsonType[])[] = [];
    if (type !== undefined) said.push([type].flat().flatMap(named));
    if (Array.isArray(values)) said.push(values.map(typeOf));
    if ("const" in one) said.push([typeOf(one.const)]);
    for (const branches of [anyOf, oneOf]) if (Array.isArray(branches)) said.push(branches.flatMap(typesOf));
    if (Array.isArray(allOf)) said.push(...allOf.map(typesOf));
    if (typeof $ref === "string") said.push(typesOf(referred(root, $ref)));
    return TYPES.filter((name) => said.every((types) => types.includes(name)));
  }
}

export function typeOf(value: unknown): JsonType {
  if (value === null) return "null";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  if (typeof value === "string" || typeof value === "boolean") return typeof value as "string" | "boolean";
  return Array.isArray(value) ? "array" : "object";
}

/** What a name in `type` stands for; one that JSON Schema does not have says nothing. */
function named(name: unknown): readonly JsonType[] {
  if (name === "number") return ["number", "integer"];
  const known = TYPES.find((type) => type === name);
  return known === undefined ? TYPES : [known];
}

/** What a reference like `#/$defs/City` leads to; undefined where that is nothing. */
function referred(root: unknown, reference: string): unknown {
  const [start, ...steps] = reference.split("/");
  if (start !== "#") return undefined;
  let at = root;
  for (const step of steps) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return at;
}
