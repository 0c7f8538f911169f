import { createHash } from "node:crypto";
import { Memo } from "../../../shared/memo/memo.ts";
import { GrammarProcessor } from "./processor.ts";
import { readTokenTable } from "./token-table.ts";
import { loadXGrammar, type CompiledGrammar, type GrammarCompiler } from "./xgrammar.ts";

/** Compiled schemas that are kept; each takes some hundred kB of the library's heap. */
const MAX_COMPILED = 32;

/** Token masks for JSON schemas over one release's vocabulary. Each schema is compiled once. */
export class Grammars {
  readonly #compiler: GrammarCompiler;
  readonly #compiled = new Memo<CompiledGrammar>({ max: MAX_COMPILED });

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
    return this.#compiled.get(key, () => this.#compiler.compileJSONSchema(schema));
  }

  /** A mask that follows one answer. */
  async processor(schema: string): Promise<GrammarProcessor> {
    const grammar = await this.compile(schema);
    return new GrammarProcessor(await loadXGrammar().GrammarMatcher.createGrammarMatcher(grammar));
  }
}
