export interface EncodeOptions {
  /** Lets the post-processor add what it adds, as `[CLS]`. Default true, as upstream. */
  readonly addSpecialTokens?: boolean;
  /** Fills `offsets`. */
  readonly offsets?: boolean;
}

/** What a text became. */
export interface Encoding {
  /** Token ids, `[S]`. */
  readonly ids: Int32Array;
  /**
   * `[S, 2]`: where each token begins and ends in the text, in UTF-16 code units (upstream's Python counts code points).
   * Tokens that are a part of a character span all of it, tokens that the post-processor added are 0, 0. Empty unless asked for.
   */
  readonly offsets: Int32Array;
}
