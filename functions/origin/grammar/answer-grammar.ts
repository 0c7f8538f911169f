import { createHash } from "node:crypto";
import type { Sampling } from "../../../shared/frame/schema.ts";
import { FoveaError } from "../../../shared/errors/error.ts";

/** What an answer is held to. */
export interface AnswerGrammar {
  readonly kind: "json_schema" | "structural_tag";
  readonly source: string;
}

/** The grammar of a request; null when its answer is free. @throws FoveaError `invalid_frame` for two of them */
export function grammarOf({ json_schema, structural_tag }: Sampling): AnswerGrammar | null {
  if (json_schema !== undefined && structural_tag !== undefined) {
    throw new FoveaError("invalid_frame", "The frame has two grammars; send one.");
  }
  if (json_schema !== undefined) return { kind: "json_schema", source: json_schema };
  return structural_tag === undefined ? null : { kind: "structural_tag", source: structural_tag };
}

/** Names a grammar: sha256, 64 hex digits. */
export function grammarHash({ kind, source }: AnswerGrammar): string {
  return createHash("sha256").update(`${kind} ${source}`).digest("hex");
}
