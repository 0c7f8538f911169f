import { grammarHash, type AnswerGrammar } from "./answer-grammar.ts";
import { FollowedAnswer } from "./followed-answer.ts";
import { readTokenTable } from "./token-table.ts";
import { schemaGrammar } from "./schema-grammar.ts";
import { boundWhitespace } from "./structural-tag.ts";
import { loadXGrammar, type CompiledGrammar, type GrammarCompiler } from "./xgrammar.ts";

/** Compiled grammars that are kept; each takes some hundred kB of the library's heap. */
const MAX_COMPILED = 32;

/** Token masks over one release's vocabulary. Each grammar is compiled once. */
export class Grammars {
  readonly #compiler: GrammarCompiler;
  readonly #stopTokenIds: readonly number[];
  /** By hash, the longest unused first. */
  readonly #compiled = new Map<string, CompiledGrammar>();

  private constructor(compiler: GrammarCompiler, stopTokenIds: readonly number[]) {
    this.#compiler = compiler;
    this.#stopTokenIds = stopTokenIds;
  }

  /** @param compiled a release's `tokenizer.bin` */
  static async open(compiled: Uint8Array, vocabSize: number, stopTokenIds: readonly number[]): Promise<Grammars> {
    const { TokenizerInfo, GrammarCompiler } = loadXGrammar();
    const { tokens, vocabType } = readTokenTable(compiled, vocabSize);
    const info = await TokenizerInfo.createTokenizerInfo(tokens, vocabType, false, vocabSize, [...stopTokenIds]);
    return new Grammars(await GrammarCompiler.createGrammarCompiler(info, false), stopTokenIds);
  }

  /** @throws Error when the grammar cannot be held to */
  async compile(wanted: AnswerGrammar): Promise<CompiledGrammar> {
    const key = grammarHash(wanted);
    const grammar = this.#compiled.get(key) ?? (await this.#build(wanted));
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

  /** Holds one answer to a grammar. @throws Error when it cannot be held to */
  async follow(wanted: AnswerGrammar): Promise<FollowedAnswer> {
    const matcher = await loadXGrammar().GrammarMatcher.createGrammarMatcher(await this.compile(wanted));
    return new FollowedAnswer(matcher, this.#stopTokenIds);
  }

  async #build({ kind, source }: AnswerGrammar): Promise<CompiledGrammar> {
    if (kind === "json_schema") return this.#compiler.compileGrammar(await schemaGrammar(source));
    return this.#compiler.compileStructuralTag(await boundWhitespace(source));
  }
}
