/** `number` stands for numbers that are no integers. */
const TYPES = ["string", "null", "boolean", "integer", "number", "object", "array"] as const;
type JsonType = (typeof TYPES)[number];

/** Schemas and listed values that are looked at for one value, and levels of them; what lies beyond could be anything. */
const MAX_STEPS = 4_096;
const MAX_DEPTH = 32;

/** What values of a JSON schema may be. */
export interface Allowed {
  readonly types: readonly JsonType[];
  /** The strings among them, where the schema lists them; null for any. */
  readonly texts: readonly string[] | null;
}

const ANYTHING: Allowed = { types: TYPES, texts: null };

/**
 * What a JSON schema allows, as far as its `type`, `enum`, `const`, branches and references say; anything where it says nothing.
 * @param root what references into the same document lead into
 */
export function allowedValues(schema: unknown, root: unknown): Allowed {
  let left = MAX_STEPS;
  return allowedBy(schema, MAX_DEPTH);

  function allowedBy(one: unknown, depth: number): Allowed {
    if (one === false) return listed([]);
    if (left-- <= 0 || depth === 0 || typeof one !== "object" || one === null) return ANYTHING;
    const inner = (each: unknown): Allowed => allowedBy(each, depth - 1);
    const { type, enum: values, anyOf, oneOf, allOf, $ref } = one as Record<string, unknown>;
    const said: Allowed[] = [];
    if (type !== undefined) said.push({ types: [type].flat().flatMap(named), texts: null });
    if (Array.isArray(values)) {
      said.push(listed(values));
      left -= values.length;
    }
    if ("const" in one) said.push(listed([one.const]));
    for (const branches of [anyOf, oneOf]) if (Array.isArray(branches)) said.push(either(branches.map(inner)));
    if (Array.isArray(allOf)) said.push(all(allOf.map(inner)));
    if (typeof $ref === "string") said.push(inner(referred(root, $ref)));
    return all(said);
  }
}

function listed(values: readonly unknown[]): Allowed {
  return { types: values.map(typeOf), texts: values.filter((value) => typeof value === "string") };
}

function either(branches: readonly Allowed[]): Allowed {
  const texts = branches.filter(({ types }) => types.includes("string")).map((branch) => branch.texts);
  const lists = texts.filter((list) => list !== null);
  return {
    types: branches.flatMap(({ types }) => types),
    texts: lists.length < texts.length ? null : lists.flat(),
  };
}

function all(said: readonly Allowed[]): Allowed {
  const [first, ...others] = said.map(({ texts }) => texts).filter((list) => list !== null);
  const texts = others.reduce((kept, list) => kept?.filter(among(list)), first) ?? null;
  const types = TYPES.filter((name) => said.every((one) => one.types.includes(name)));
  return { types: texts?.length === 0 ? types.filter((name) => name !== "string") : types, texts };
}

function among(list: readonly string[]): (text: string) => boolean {
  const set = new Set(list);
  return (text) => set.has(text);
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
