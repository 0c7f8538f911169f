import type { CacheArray } from "./cache-array.ts";
import type { PromptPositions } from "./position-ids.ts";
import type { BackboneSpec } from "./spec.ts";
import type { ProviderChoice } from "./providers.ts";

/**
 * The key/value cache of one sequence, as its backbone keeps it. The engine holds it as a token and gives it back;
 * only the backbone that opened it looks inside.
 */
export interface KvSequence {
  /** Positions that are cached: the next token gets this position. */
  readonly held: number;
}

/** One row of a decode step: a sequence and the embedding `[hidden]` of its newest token. */
export interface DecodeRow {
  readonly kv: KvSequence;
  readonly embeds: Float32Array;
}

/**
 * The language model behind one interface: embeddings in, logits out, with a key/value cache per sequence.
 * Calls never overlap: the engine awaits each. A call that throws leaves the cache of its sequences as it was.
 */
export interface Backbone {
  readonly spec: BackboneSpec;
  readonly provider: ProviderChoice;

  /** `embed_tokens`: ids `[S]` -> `[S, hidden]`. Every id must be inside the vocabulary. */
  embed(ids: Int32Array): Promise<Float32Array>;

  /**
   * An empty cache. `expected` tokens is a hint that saves growing it later.
   * @param positions of the prompt's tokens, where they are not 0, 1, 2, ...
   */
  open(expected: number, positions?: PromptPositions): KvSequence;
  close(kv: KvSequence): void;

  /** Positions that caches take in memory once sequences of these lengths, those that are open among them, are open and full. */
  footprint(lengths: readonly number[]): number;

  /**
   * Tells which lengths the sequences may reach that are open, or will be before the next call: no more memory is taken than
   * `footprint(lengths)`.
   * @param tight also gives back what earlier, longer or more of them have left
   */
  plan(lengths: readonly number[], tight: boolean): void;

  /**
   * Runs one chunk of a prompt alone and appends it to the cache.
   * @param embeds `[S, hidden]`
   * @returns logits `[vocab]` of the chunk's last position
   */
  prefill(kv: KvSequence, embeds: Float32Array): Promise<Float32Array>;

  /** Splits rows into those that may share one call, so that a call that fails names who was in it. */
  groups(rows: readonly DecodeRow[]): readonly (readonly DecodeRow[])[];

  /** One call, one token for each row of a group. Returns logits `[vocab]` per row, in the order given. */
  decode(group: readonly DecodeRow[]): Promise<readonly Float32Array[]>;

  /** Copies positions `[from, from + count)` out of a cache: `[2 * layers, kv_heads, count, head_dim]`. */
  readBlock(kv: KvSequence, from: number, count: number): CacheArray;

  /** Appends copied blocks of `count` positions each to a cache that holds exactly what came before the first of them. */
  appendBlocks(kv: KvSequence, blocks: readonly CacheArray[], count: number): void;

  dispose(): Promise<void>;
}
