/**
 * The compiled tokenizer: one little-endian file whose tables are used where they lie.
 *
 * | bytes | what |
 * |---|---|
 * | 0..3 | `FVTK` |
 * | 4..7 | u32 version: a reader takes its own version and no other, since a release is compiled by the code that reads it |
 * | 8..11 | u32 length of the file |
 * | 12..15 | u32 number of sections |
 * | 16.. | per section u32 id, u32 offset, u32 length in bytes; ids rise, offsets are multiples of 4, nothing overlaps |
 */
export const MAGIC = 0x4b_54_56_46;
export const FORMAT_VERSION = 1;
export const HEADER_BYTES = 16;
export const ENTRY_BYTES = 12;

export const SECTION = {
  /** Records of the components in order: normalizer, pre-tokenizer, model, post-processor, decoder, truncation, padding. */
  pipeline: 1,
  /** Two-stage table of general categories, see unicode/categories.ts. */
  categories: 2,
  /** Bytes of all tokens, one after the other. */
  tokenBytes: 3,
  /** u32 per id: where its bytes end; they begin where those of the id before end. */
  tokenEnds: 4,
  /** u8 per id, see TOKEN_FLAG. */
  tokenFlags: 5,
  /** Hash table bytes -> id of the model's vocabulary. */
  vocabSlots: 6,
  /** Hash table (left id, right id) -> rank of the merge. */
  mergeSlots: 7,
  /** u32 per merge rank: id of the token that it makes. */
  mergeIds: 8,
  /** Trie of the added tokens that are found before normalization. */
  addedTrie: 9,
  /** Trie of the added tokens that are found after it. */
  normalizedTrie: 10,
  /** f64 per id: log probability of a Unigram piece. */
  scores: 12,
  /** Character map of a Precompiled normalizer, as SentencePiece writes it. */
  precompiled: 13,
  /** One bit per hash of a beginning of a Unigram piece. */
  beginnings: 14,
} as const;

export type SectionId = (typeof SECTION)[keyof typeof SECTION];

/** What is known of an id beyond its bytes. */
export const TOKEN_FLAG = {
  /** No token has this id. */
  absent: 1,
  /** `special` of an added token: decode can skip it. */
  special: 2,
  /** Named by `added_tokens`. */
  added: 4,
  /** The bytes are the UTF-8 of the token's string even though the vocabulary is one of byte-level characters. */
  literal: 8,
  /** Plain text never makes this id: prompts guard it. */
  control: 16,
} as const;
