import * as z from "zod";
import type { Tokenizer } from "../../../../shared/tokenizer/tokenizer.ts";

const request = z.object({ text: z.string() });

/** What one line of input becomes. */
export type TokensLine =
  { readonly ids: readonly number[]; readonly decoded: string } | { readonly error: string; readonly line: number };

/**
 * Answers one line `{"text": ...}`: upstream's `encode` with its post-processor, and `decode` that keeps special tokens. A line
 * that is broken becomes an error with its number, so that one among thousands does not end the run.
 */
export function tokensLine(tokenizer: Tokenizer, line: string, number: number): TokensLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { error: "is not JSON", line: number };
  }
  const parsed = request.safeParse(value);
  if (!parsed.success) return { error: 'is not {"text": string}', line: number };
  try {
    const ids = [...tokenizer.encode(parsed.data.text).ids];
    return { ids, decoded: tokenizer.decode(ids) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : "cannot be tokenized", line: number };
  }
}
