import { mergeWhitespace } from "./merge-whitespace.ts";
import { loadXGrammar, SCHEMA_OPTIONS } from "./xgrammar.ts";

/** A JSON schema as a grammar in the library's EBNF. @throws Error when it is none that can be followed */
export async function schemaGrammar(schema: string): Promise<string> {
  const grammar = await loadXGrammar().Grammar.fromJSONSchema(schema, ...SCHEMA_OPTIONS);
  try {
    return mergeWhitespace(grammar.toString());
  } finally {
    grammar.dispose();
  }
}
