import type { Mask, MaskSource } from "./processor.ts";
import type { GrammarMatcher } from "./xgrammar.ts";

/** One answer that is held to a grammar, in the thread that compiled it. */
export class FollowedAnswer implements MaskSource {
  readonly stopTokenIds: readonly number[];
  readonly #matcher: GrammarMatcher;

  constructor(matcher: GrammarMatcher, stopTokenIds: readonly number[]) {
    this.#matcher = matcher;
    this.stopTokenIds = stopTokenIds;
  }

  /** What may come next. */
  async mask(): Promise<Mask> {
    return this.#matcher.isTerminated() ? null : this.#matcher.getNextTokenBitmask();
  }

  async accept(token: number): Promise<Mask> {
    if (!this.#matcher.isTerminated()) this.#matcher.acceptToken(token);
    return this.mask();
  }

  close(): void {
    this.#matcher.dispose();
  }
}
