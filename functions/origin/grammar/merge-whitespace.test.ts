import { describe, expect, it } from "vitest";
import { mergeWhitespace } from "./merge-whitespace.ts";
import { loadXGrammar, SCHEMA_OPTIONS, type CompiledGrammar } from "./xgrammar.ts";

const { Grammar, GrammarCompiler, GrammarMatcher, TokenizerInfo } = loadXGrammar();
/** Every character alone, and some pieces of JSON: what a grammar says of each tells rules apart. */
const letters = Array.from({ length: 95 }, (_, i) => String.fromCodePoint(32 + i));
const tokens = [...letters, "\n", "\t", "  ", '{"', '":', '", "', "true", "false", "null", "12", "aa", "</s>"];
const END = tokens.length - 1;
const info = await TokenizerInfo.createTokenizerInfo(tokens, "byte_fallback", false, tokens.length, [END]);
const compiler = await GrammarCompiler.createGrammarCompiler(info, false);

async function written(schema: unknown): Promise<string> {
  const grammar = await Grammar.fromJSONSchema(JSON.stringify(schema), ...SCHEMA_OPTIONS);
  const text = grammar.toString();
  grammar.dispose();
  return text;
}

/** Masks along a walk of ids that the first grammar allows, for each grammar. */
async function walk(grammars: readonly CompiledGrammar[], seed: number): Promise<string[][]> {
  const matchers = await Promise.all(grammars.map((grammar) => GrammarMatcher.createGrammarMatcher(grammar)));
  const masks: string[][] = matchers.map(() => []);
  let random = seed;
  for (let step = 0; step < 120 && !matchers.some((matcher) => matcher.isTerminated()); step++) {
    const now = await Promise.all(matchers.map((matcher) => matcher.getNextTokenBitmask()));
    now.forEach((mask, index) => masks[index]?.push(mask.join(" ")));
    const allowed = tokens.map((_, id) => id).filter((id) => (((now[0]?.[id >> 5] ?? 0) >>> (id & 31)) & 1) === 1);
    random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 1;
    const closing = allowed.filter((id) => /["}\]]|<\/s>/.test(tokens[id] ?? ""));
    const from = closing.length > 0 && random % 3 === 0 ? closing : allowed;
    const id = from[(random >>> 8) % from.length] ?? END;
    for (const matcher of matchers) matcher.acceptToken(id);
  }
  for (const matcher of matchers) matcher.dispose();
  return masks;
}

const strings = (required: boolean): unknown => ({
  type: "object",
  properties: { "a ::= root_prop_1": { type: "string" }, b: { type: "string", maxLength: 9 }, c: { type: "string" } },
  additionalProperties: false,
  ...(required && { required: ["a ::= root_prop_1", "b", "c"] }),
});
const node = {
  type: "object",
  properties: { next: { anyOf: [{ $ref: "#" }, { type: "null" }] }, root: { enum: ["root", "[root]", '"'] } },
  required: ["root"],
};

describe("mergeWhitespace", () => {
  it.each([
    ["strings that must be there", strings(true)],
    ["strings that may be there", strings(false)],
    ["a schema that names itself", node],
    ["lists of several kinds", { type: "array", items: { anyOf: [node, strings(true), { type: "number" }] } }],
    ["a pattern", { type: "string", pattern: '^[a-z]{3,10}"$' }],
    ["anything", {}],
  ])("leaves every mask as it is: %s", async (_, schema) => {
    const text = await written(schema);
    const merged = mergeWhitespace(text);
    const grammars = [await compiler.compileGrammar(text), await compiler.compileGrammar(merged)];
    for (let seed = 1; seed < 12; seed++) {
      const [before, after] = await walk(grammars, seed);
      expect(after).toEqual(before);
    }
  });

  it("has the rules of white space once, however many properties there are", async () => {
    const properties = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`p${i}`, { type: "string" }]));
    const text = await written({ type: "object", properties, required: Object.keys(properties) });
    expect(text.split("\n").length).toBeGreaterThan(1_000);
    expect(mergeWhitespace(text).split("\n").length).toBeLessThan(200);
  });
});
