import type { LogitsProcessor } from "../engine/sampling/sampler.ts";
import type { GrammarMatcher } from "./xgrammar.ts";

/** Holds one answer to a grammar: what would leave it cannot be chosen. */
export class GrammarProcessor implements LogitsProcessor {
  readonly #matcher: GrammarMatcher;
  #mask: Int32Array | null = null;

  constructor(matcher: GrammarMatcher) {
    this.#matcher = matcher;
  }

  /** The library gives its mask by a promise, so it is fetched before the logits come. */
  async prepare(): Promise<void> {
    this.#mask = this.#matcher.isTerminated() ? null : await this.#matcher.getNextTokenBitmask();
  }

  apply(logits: Float32Array): void {
    const mask = this.#mask;
    if (mask === null) return;
    for (let word = 0; word * 32 < logits.length; word++) {
      const bits = mask[word] ?? 0;
      if (bits === -1) continue;
      const end = Math.min(logits.length, word * 32 + 32);
      for (let id = word * 32; id < end; id++) if (((bits >>> (id & 31)) & 1) === 0) logits[id] = -Infinity;
    }
  }

  /** After the end id that the grammar asked for, which `ignore_eos` must not pass over: free text would follow the JSON. */
  get ended(): boolean {
    return this.#matcher.isTerminated();
  }

  accept(id: number): void {
    if (!this.#matcher.isTerminated()) this.#matcher.acceptToken(id);
  }

  dispose(): void {
    this.#matcher.dispose();
  }
}
