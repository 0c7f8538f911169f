/** Steps of a pre-tokenizer in the compiled file. */
export const PRE_TOKENIZER = {
  /** One of the well-known patterns, read by hand. */
  scanner: 1,
  /** A finder, what to do with its matches, and whether the rest is meant instead. */
  split: 2,
  metaspace: 3,
  /** `add_prefix_space` of ByteLevel. */
  prefixSpace: 4,
  /** Runs of `\w` and runs of what is neither `\w` nor white space; the rest vanishes. */
  words: 5,
  /** Before each `▁` that follows another character; only where the vocabulary cannot tell. */
  beforeMetaspace: 6,
} as const;

export const SCANNER = {
  gpt2: 1,
  cl100k: 2,
  o200k: 3,
  deepseek: 4,
  /** Runs of numbers of at most so many characters. */
  numbers: 5,
  /** Runs of CJK ideographs and kana, as DeepSeek means them. */
  cjk: 6,
} as const;

export const FINDER = { pattern: 1, string: 2, set: 3, whiteSpace: 4 } as const;

/** `SplitDelimiterBehavior`. */
export const BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"] as const;

export type Behavior = (typeof BEHAVIORS)[number];

/** `prepend_scheme` of Metaspace. */
export const PREPEND_SCHEMES = ["never", "first", "always"] as const;
