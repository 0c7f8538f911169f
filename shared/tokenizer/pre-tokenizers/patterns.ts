import { SCANNER } from "./kinds.ts";

/** A pattern that a scanner reads in one pass, without going back. */
export interface KnownPattern {
  readonly scanner: number;
  readonly literals: readonly string[];
}

const GPT2_CLASSES = String.raw`| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

export const GPT2_PATTERN = "'s|'t|'re|'ve|'m|'ll|'d" + GPT2_CLASSES;

const GPT2: KnownPattern = { scanner: SCANNER.gpt2, literals: ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"] };

/** By the exact string: a pattern that differs in one character is another one. */
export const KNOWN_PATTERNS: ReadonlyMap<string, KnownPattern> = new Map([
  [GPT2_PATTERN, GPT2],
  [
    String.raw`(?:user|assistant|system)\n` + GPT2_CLASSES,
    { scanner: SCANNER.gpt2, literals: ["user\n", "assistant\n", "system\n"] },
  ],
]);
