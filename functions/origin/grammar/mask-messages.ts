import type { AnswerGrammar } from "./answer-grammar.ts";

/** What the engine's thread asks of the one that makes masks. `id` names one answer. */
export type ToMasks =
  | { readonly type: "open"; readonly id: number; readonly grammar: AnswerGrammar }
  | { readonly type: "accept"; readonly id: number; readonly token: number }
  | { readonly type: "close"; readonly id: number };

/** What comes back for each `open` and `accept`. */
export interface FromMasks {
  readonly id: number;
  /** For the next token: one bit per id, 32 to a word. Null when the answer is over; undefined when it could not be made. */
  readonly mask: Int32Array<ArrayBuffer> | null | undefined;
}
