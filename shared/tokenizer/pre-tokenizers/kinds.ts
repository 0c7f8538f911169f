/** Steps of a pre-tokenizer in the compiled file. */
export const PRE_TOKENIZER = {
  /** One of the well-known patterns, read by hand. */
  scanner: 1,
} as const;

export const SCANNER = {
  gpt2: 1,
} as const;
