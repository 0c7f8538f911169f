export interface EngineSettings {
  /** Sequences that run at once. */
  readonly maxSequences: number;
  /** Memory for the key/value cache, bytes: running sequences and reusable prefixes together. */
  readonly kvBytes: number;
  /** How long one step may spend on each of the prompts that are being read, four at most, while answers stream, milliseconds. */
  readonly prefillSliceMs: number;
  /** Tokens of one chunk of a prompt at most. */
  readonly maxChunkTokens: number;
  readonly prefixCache: boolean;
}
