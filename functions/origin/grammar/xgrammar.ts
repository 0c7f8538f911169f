import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { compileFunction, constants } from "node:vm";

/** As much of @mlc-ai/web-xgrammar as is used (https://xgrammar.mlc.ai). */
export interface XGrammar {
  readonly Grammar: {
    fromJSONSchema(schema: string, ...options: SchemaOptions): Promise<Grammar>;
  };
  readonly TokenizerInfo: {
    createTokenizerInfo(
      encodedVocab: string[],
      vocabType: "byte_level" | "byte_fallback",
      prependSpace: boolean,
      vocabSize: number,
      stopTokenIds: number[],
    ): Promise<TokenizerInfo>;
  };
  readonly GrammarCompiler: {
    createGrammarCompiler(info: TokenizerInfo, cacheEnabled: boolean): Promise<GrammarCompiler>;
  };
  readonly GrammarMatcher: {
    createGrammarMatcher(grammar: CompiledGrammar): Promise<GrammarMatcher>;
  };
}

/**
 * JSON as models write it, in one line or indented, but no white space without end: a model that is forced away from what it
 * wants to say may go on with spaces for ever.
 */
export const SCHEMA_OPTIONS: SchemaOptions = [true, undefined, undefined, true, 16];

export interface TokenizerInfo {
  dispose(): void;
}
/** How the JSON is written: `indent` and `separators` count only where white space is not free. */
type SchemaOptions = readonly [
  anyWhitespace: boolean,
  indent: undefined,
  separators: undefined,
  strictMode: boolean,
  maxWhitespaceCnt: number,
];
export interface Grammar {
  /** In the library's EBNF. */
  toString(): string;
  dispose(): void;
}
export interface GrammarCompiler {
  /** @param grammar in the library's EBNF */
  compileGrammar(grammar: string): Promise<CompiledGrammar>;
  compileStructuralTag(tag: string): Promise<CompiledGrammar>;
}
export interface CompiledGrammar {
  dispose(): void;
}
export interface GrammarMatcher {
  /** One bit per id, 32 to a word: 1 where the grammar allows it. */
  getNextTokenBitmask(): Promise<Int32Array<ArrayBuffer>>;
  acceptToken(id: number): boolean;
  isTerminated(): boolean;
  dispose(): void;
}

let loaded: XGrammar | null = null;

/**
 * Loads the library. The package is a CommonJS file that calls itself an ES module, so neither `import` nor `require`
 * takes it as it is; it is compiled here as the CommonJS module that it was written as.
 */
export function loadXGrammar(): XGrammar {
  if (loaded !== null) return loaded;
  const require = createRequire(import.meta.url);
  const file = require.resolve("@mlc-ai/web-xgrammar");
  const exports = {};
  const run = compileFunction(readFileSync(file, "utf8"), ["exports", "module", "require", "__filename", "__dirname"], {
    filename: file,
    // It imports node:module to find its own require.
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  }) as (...args: unknown[]) => void;
  run(exports, { exports }, require, file, dirname(file));
  loaded = exports as XGrammar;
  return loaded;
}
