import { SCANNER } from "./kinds.ts";

/** A pattern that a scanner reads in one pass, without going back. */
export interface KnownPattern {
  readonly scanner: number;
  /** Digits that stay together, where the scanner asks. */
  readonly most: number;
  readonly literals: readonly string[];
  /** Whether every character is in some match. */
  readonly matchesAll: boolean;
}

const GPT2_CLASSES = String.raw`| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

export const GPT2_PATTERN = "'s|'t|'re|'ve|'m|'ll|'d" + GPT2_CLASSES;

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const WORD_START = String.raw`[^\r\n\p{L}\p{N}]?`;
const UPPER = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const LOWER = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
const NEWLINES_AND_SPACES = String.raw`|\s*[\r\n]+|\s+(?!\S)|\s+`;

function cl100k(numbers: string): string {
  return `${CONTRACTIONS}|${WORD_START}\\p{L}+|${numbers}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*${NEWLINES_AND_SPACES}`;
}

const O200K =
  `${WORD_START}${UPPER}*${LOWER}+${CONTRACTIONS}?|${WORD_START}${UPPER}+${LOWER}*${CONTRACTIONS}?` +
  String.raw`|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*` +
  NEWLINES_AND_SPACES;

/** With real line breaks in it, as DeepSeek's file has them. */
const DEEPSEEK =
  "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+" +
  "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+";

function known(scanner: number, most = 0, literals: readonly string[] = []): KnownPattern {
  const matchesAll = scanner === SCANNER.gpt2 || scanner === SCANNER.cl100k || scanner === SCANNER.o200k;
  return { scanner, most, literals, matchesAll };
}

/** By the exact string: a pattern that differs in one character is another one. */
export const KNOWN_PATTERNS: ReadonlyMap<string, KnownPattern> = new Map([
  [GPT2_PATTERN, known(SCANNER.gpt2, 0, ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"])],
  [
    String.raw`(?:user|assistant|system)\n` + GPT2_CLASSES,
    known(SCANNER.gpt2, 0, ["user\n", "assistant\n", "system\n"]),
  ],
  [cl100k(String.raw`\p{N}{1,3}`), known(SCANNER.cl100k, 3)],
  [cl100k(String.raw`\p{N}`), known(SCANNER.cl100k, 1)],
  [O200K, known(SCANNER.o200k)],
  [DEEPSEEK, known(SCANNER.deepseek)],
  [String.raw`\p{N}{1,3}`, known(SCANNER.numbers, 3)],
  [String.raw`\p{N}`, known(SCANNER.numbers, 1)],
  ["[一-龥\u3040-ゟ゠-ヿ]+", known(SCANNER.cjk)],
]);
