import { CHANNEL_RETRY_MS } from "../limits/releases.ts";
import type { Sha256 } from "./digest.ts";

/** Good releases remembered per model: the one that serves, and the one before it. */
const KEPT = 2;

/**
 * Which releases of a model served well, and which failed a moment ago. A failed one is not tried again for some seconds,
 * so that a broken release costs one request a look at the store, not every request.
 */
export class KnownGood<R extends { readonly digest: Sha256 }> {
  readonly #good = new Map<string, readonly R[]>();
  readonly #failedUntil = new Map<Sha256, number>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  succeeded(model: string, release: R): void {
    this.#failedUntil.delete(release.digest);
    const others = (this.#good.get(model) ?? []).filter(({ digest }) => digest !== release.digest);
    this.#good.set(model, [release, ...others].slice(0, KEPT));
  }

  failed(model: string, digest: Sha256): void {
    const now = this.#now();
    for (const [known, until] of this.#failedUntil) if (until <= now) this.#failedUntil.delete(known);
    this.#failedUntil.set(digest, now + CHANNEL_RETRY_MS);
    const others = (this.#good.get(model) ?? []).filter((release) => release.digest !== digest);
    this.#good.set(model, others);
  }

  /** True while a release that failed is to be left alone. */
  isFailed(digest: Sha256): boolean {
    return (this.#failedUntil.get(digest) ?? 0) > this.#now();
  }

  /** The release that served last, other than the one that is broken. */
  fallback(model: string, broken: Sha256): R | undefined {
    return this.#good.get(model)?.find(({ digest }) => digest !== broken);
  }
}
