import { createHash } from "node:crypto";
import { GrammarProcessor } from "./processor.ts";
import { readTokenTable } from "./token-table.ts";
import { loadXGrammar, type CompiledGrammar, type GrammarCompiler } from "./xgrammar.ts";

/** Compiled schemas that are kept; each takes some hundred kB of the library's heap. */
const MAX_COMPILED = 32;

/** Token masks for JSON schemas over one release's vocabulary. Each schema is compiled once. */
export class Grammars {
  readonly #compiler: GrammarCompiler;
  /** By sha256 of the schema, the longest unused first. */
  readonly #compiled = new Map<string, CompiledGrammar>();

  private constructor(compiler: GrammarCompiler) {
    this.#compiler = compiler;
  }

  /** @param compiled a release's `tokenizer.bin` */
  static async open(compiled: Uint8Array, vocabSize: number, stopTokenIds: readonly number[]): Promise<Grammars> {
    const { TokenizerInfo, GrammarCompiler } = loadXGrammar();
    const { tokens, vocabType } = readTokenTable(compiled, vocabSize);
    const info = await TokenizerInfo.createTokenizerInfo(tokens, vocabType, false, vocabSize, [...stopTokenIds]);
    return new Grammars(await GrammarCompiler.createGrammarCompiler(info, false));
  }

  /** Compiles a schema. @throws Error when it is no JSON schema that can be held to */
  async compile(schema: string): Promise<CompiledGrammar> {
    const key = createHash("sha256").update(schema).digest("hex");
    const known = this.#compiled.get(key);
    const grammar = known ?? (await this.#compiler.compileJSONSchema(schema));
    this.#compiled.delete(key);
    this.#compiled.set(key, grammar);
    for (const [oldest, unused] of this.#compiled) {
      if (this.#compiled.size <= MAX_COMPILED) break;
      this.#compiled.delete(oldest);
      // Frees the handle; a matcher that still follows the grammar holds a reference of its own.
      unused.dispose();
    }
    return grammar;
  }

  /** A mask that follows one answer. */
  async processor(schema: string): Promise<GrammarProcessor> {
    const grammar = await this.compile(schema);
    return new GrammarProcessor(await loadXGrammar().GrammarMatcher.createGrammarMatcher(grammar));
  }
}
