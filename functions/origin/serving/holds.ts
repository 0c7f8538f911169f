/** How many requests hold each release, by its digest. */
export class Holds {
  readonly #held = new Map<string, number>();

  has(digest: string): boolean {
    return this.#held.has(digest);
  }

  /** @returns gives the hold back; a second call does nothing */
  take(digest: string): () => void {
    this.#held.set(digest, (this.#held.get(digest) ?? 0) + 1);
    let open = true;
    return () => {
      if (!open) return;
      open = false;
      const left = (this.#held.get(digest) ?? 1) - 1;
      if (left > 0) this.#held.set(digest, left);
      else this.#held.delete(digest);
    };
  }
}
