/** The first guess of what a prompt token costs, milliseconds; the measure replaces it after one chunk. */
const FIRST_MS_PER_TOKEN = 1;

/** How much a new measure counts. */
const SMOOTHING = 0.3;

/**
 * How many prompt tokens a step may take. While answers stream, a step's prompts get a slice of time, so that a long
 * prompt slows the running streams by a known amount and never stalls them; the slice becomes tokens by what tokens
 * cost lately. Chunks of any length are bit-equal, so a clock may decide.
 */
export class Slice {
  readonly #settings: { readonly prefillSliceMs: number; readonly maxChunkTokens: number };
  readonly #whole: boolean;
  #msPerToken = FIRST_MS_PER_TOKEN;
  #leftMs = 0;
  #left = 0;
  #streaming = false;

  /** @param whole prompts must not be split */
  constructor(settings: { readonly prefillSliceMs: number; readonly maxChunkTokens: number }, whole: boolean) {
    this.#settings = settings;
    this.#whole = whole;
  }

  begin(streaming: boolean): void {
    this.#streaming = streaming;
    this.#leftMs = this.#settings.prefillSliceMs;
    this.#left = this.#settings.maxChunkTokens;
  }

  /** Tokens of the next chunk; 0 when the step is full. */
  tokens(): number {
    if (this.#whole) return this.#left > 0 ? Number.MAX_SAFE_INTEGER : 0;
    if (!this.#streaming) return this.#left;
    const affordable = Math.floor(this.#leftMs / this.#msPerToken);
    // The first chunk of a step always gets some tokens, or a slow machine would never finish a prompt.
    const first = this.#leftMs === this.#settings.prefillSliceMs;
    return Math.min(this.#left, Math.max(affordable, first ? MIN_SLICE_TOKENS : 0));
  }

  spent(tokens: number, ms: number): void {
    this.#left = Math.max(0, this.#left - tokens);
    this.#leftMs = Math.max(0, this.#leftMs - ms);
    if (tokens > 0) this.#msPerToken += SMOOTHING * (ms / tokens - this.#msPerToken);
  }
}

/** Tokens that a prompt advances in each step at least; smaller chunks waste most of what the run costs. */
const MIN_SLICE_TOKENS = 16;
