/** What a thread that compiles grammars is started with. */
export interface GrammarThreadData {
  /** Path of the release's `tokenizer.bin`. */
  readonly tokenizer: string;
  readonly vocabSize: number;
  readonly stopTokenIds: readonly number[];
}
