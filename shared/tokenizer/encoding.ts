export interface EncodeOptions {
  /** Lets the post-processor add what it adds, as `[CLS]`. Default true, as upstream. */
  readonly addSpecialTokens?: boolean;
  /** Fills `offsets`. */
  readonly offsets?: boolean;
}

export interface DecodeOptions {
  /** Leaves out added tokens that are special. Default false. */
  readonly skipSpecialTokens?: boolean;
  /** Added tokens that are not left out although they are special. */
  readonly keep?: readonly string[];
}

/** What a text became. */
export interface Encoding {
  /** Token ids, `[S]`. */
  readonly ids: Int32Array;
  /** `[S]`: 1 for tokens, 0 for padding. */
  readonly attentionMask: Uint8Array;
  /**
   * `[S, 2]`: where each token begins and ends in the text, in UTF-16 code units (upstream's Python counts code points).
   * Tokens that are a part of a character span all of it; tokens that are not from the text are 0, 0. Empty unless asked for.
   */
  readonly offsets: Int32Array;
}
