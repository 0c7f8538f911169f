/** Grammars that are remembered, by hash. */
const MAX_KNOWN = 1_024;

/** How long a refusal holds: a grammar that took too long may have met a busy machine. */
const REFUSED_MS = 600_000;

/** Which grammars can be followed, and why others cannot; the longest unasked is forgotten first. */
export class Verdicts {
  readonly #known = new Map<string, { readonly refusal: string | null; readonly until: number }>();

  /** Why the grammar is refused, null when it is good; undefined when that is not known. */
  get(hash: string): string | null | undefined {
    const verdict = this.#known.get(hash);
    if (verdict === undefined) return undefined;
    this.#known.delete(hash);
    if (performance.now() >= verdict.until) return undefined;
    this.#known.set(hash, verdict);
    return verdict.refusal;
  }

  set(hash: string, refusal: string | null): void {
    this.#known.delete(hash);
    this.#known.set(hash, { refusal, until: refusal === null ? Infinity : performance.now() + REFUSED_MS });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_KNOWN) break;
      this.#known.delete(oldest);
    }
  }
}
