import { TOOL_CALL_MARKERS } from "../../../shared/tool-calls/formats/index.ts";
import { Tokenizer } from "../../../shared/tokenizer/tokenizer.ts";

export interface TokenTable {
  /** Tokens by id as the tokenizer writes them; empty where an id stands for no text and may never be in an answer. */
  readonly tokens: string[];
  readonly vocabType: "byte_level" | "byte_fallback";
}

/** What each id stands for, from a release's compiled tokenizer. Models pad their vocabulary: ids without a token are empty. */
export function readTokenTable(compiled: Uint8Array, vocabSize: number): TokenTable {
  const tokenizer = Tokenizer.load(compiled);
  const tokens = Array.from({ length: vocabSize }, (_, id) => {
    const token = tokenizer.idToToken(id);
    if (token === undefined) return "";
    const isControl = tokenizer.decode([id], { skipSpecialTokens: true }) === "";
    // Models write tool calls with control tokens of their own; edges take them for text there, and leave them out elsewhere.
    return isControl && !TOOL_CALL_MARKERS.has(token) ? "" : token;
  });
  return { tokens, vocabType: tokenizer.tokenToId("<0x0A>") === undefined ? "byte_level" : "byte_fallback" };
}
