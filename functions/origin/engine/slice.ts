import { chunkLength, fixedChunkLength } from "./prompt.ts";

/** The first guess of what a prompt token costs, milliseconds; the measure replaces it after one chunk. */
const FIRST_MS_PER_TOKEN = 1;

/** How much a new measure counts. */
const SMOOTHING = 0.3;

/** Prompts of which each gets a slice in one step; more wait for the next, so that streams never stall. */
const MAX_SLICES = 4;

/** Tokens that a prompt advances in each step at least; smaller chunks waste most of what the run costs. */
const MIN_SLICE_TOKENS = 16;

/** A prompt that is done with so much more than its slice is done at once: another chunk would cost more than it spares. */
const ROUNDING = 1.5;

/**
 * How many prompt tokens a step may take. While answers stream, each prompt that is being read gets a slice of time, so that
 * a long one slows the running streams by a known amount and never stalls them, and several do not leave places of the batch
 * empty; the slice becomes tokens by what tokens cost lately. Chunks of any length are bit-equal, so a clock
 * may decide; where they are not (`chunkGrain`), it decides only how many a step takes.
 */
export class Slice {
  readonly #settings: { readonly prefillSliceMs: number; readonly maxChunkTokens: number };
  readonly #cut: ChunkRules;
  #msPerToken = FIRST_MS_PER_TOKEN;
  #leftMs = 0;
  #left = 0;
  #streaming = false;
  #untouched = true;

  constructor(settings: { readonly prefillSliceMs: number; readonly maxChunkTokens: number }, cut: ChunkRules) {
    this.#settings = settings;
    this.#cut = cut;
  }

  /** @param streaming answers run; @param prompts that are being read */
  begin(streaming: boolean, prompts: number): void {
    this.#streaming = streaming;
    this.#untouched = true;
    this.#leftMs = this.#settings.prefillSliceMs * Math.min(prompts, MAX_SLICES);
    this.#left = this.#settings.maxChunkTokens;
  }

  /** Tokens of the next chunk, of a prompt of which `rest` are left; 0 when the step is full. */
  tokens(rest: number): number {
    const { whole, grain } = this.#cut;
    if (this.#left === 0) return 0;
    if (whole) return rest;
    const affordable = this.#streaming ? Math.floor(this.#leftMs / this.#msPerToken) : this.#left;
    // The first chunk of a step always gets some tokens, or a slow machine would never finish a prompt.
    const tokens = Math.max(affordable, this.#untouched ? MIN_SLICE_TOKENS : 0);
    const roomy = ROUNDING * tokens;
    if (grain !== null) {
      const chunk = fixedChunkLength(rest, grain);
      return this.#untouched || chunk <= roomy ? chunk : 0;
    }
    if (tokens === 0) return 0;
    return chunkLength(rest, Math.min(this.#left, this.#streaming && rest <= roomy ? rest : tokens));
  }

  spent(tokens: number, ms: number): void {
    this.#untouched = false;
    this.#left = Math.max(0, this.#left - tokens);
    this.#leftMs = Math.max(0, this.#leftMs - ms);
    if (tokens > 0) this.#msPerToken += SMOOTHING * (ms / tokens - this.#msPerToken);
  }
}

export interface ChunkRules {
  /** Prompts must not be split. */
  readonly whole: boolean;
  /** Tokens after which each chunk ends; null: anywhere. */
  readonly grain: number | null;
}
