import { SIGNATURE_CLOCK_SKEW_SECONDS, SIGNATURE_WINDOW_SECONDS } from "../limits/limits.ts";

/** Nonces of one process. 100,000 a minute is 1,500 requests a second; beyond, requests are refused, never forgotten early. */
const MAX_NONCES = 100_000;

/** Characters of one nonce; ours are UUIDs of 36. */
const MAX_NONCE_CHARS = 128;

/** Remembers nonces for as long as a signature may be old or ahead (RFC 9421, section 7.2.2: replay). */
export class NonceCache {
  readonly #seen = new Map<string, number>();

  /** True the first time that a nonce is used; false when it was used before, is too long, or the cache is full. */
  use(nonce: string, now: number): boolean {
    this.#forgetExpired(now);
    if (nonce.length > MAX_NONCE_CHARS || this.#seen.has(nonce) || this.#seen.size >= MAX_NONCES) return false;
    this.#seen.set(nonce, now + SIGNATURE_WINDOW_SECONDS + SIGNATURE_CLOCK_SKEW_SECONDS);
    return true;
  }

  get size(): number {
    return this.#seen.size;
  }

  /** Entries stand in the order of use, so the expired ones are in front. */
  #forgetExpired(now: number): void {
    for (const [nonce, expires] of this.#seen) {
      if (expires > now) return;
      this.#seen.delete(nonce);
    }
  }
}
