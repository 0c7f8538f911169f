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
    for (let id = 0; id < logits.length; id++) {
      if ((((mask[id >> 5] ?? 0) >>> (id & 31)) & 1) === 0) logits[id] = -Infinity;
    }
  }

  accept(id: number): void {
    if (!this.#matcher.isTerminated()) this.#matcher.acceptToken(id);
  }

  dispose(): void {
    this.#matcher.dispose();
  }
}
