/** One picture's features: `[rows, width]`, in memory that threads share, so that handing them over costs no copy. */
export interface CachedFeatures {
  readonly rows: number;
  readonly width: number;
  readonly values: Float32Array;
}

/**
 * Features by (contract, salt, hash), the longest unused dropped first. The hash names all that the features depend on;
 * the contract and the salt are in the key so that no release and no tenant ever meets another's.
 */
export class FeatureCache {
  readonly #maxBytes: number;
  readonly #entries = new Map<string, CachedFeatures>();
  #bytes = 0;
  hits = 0;
  misses = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): CachedFeatures | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.misses++;
      return undefined;
    }
    this.hits++;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  /** Keeps an entry that is not larger than the whole cache. */
  set(key: string, entry: CachedFeatures): void {
    this.#drop(key);
    if (entry.values.byteLength > this.#maxBytes) return;
    this.#entries.set(key, entry);
    this.#bytes += entry.values.byteLength;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.values.byteLength;
  }
}

/** Parts cannot run into each other: hashes have one length, and the salt comes last. */
export function featureCacheKey(contract: string, hash: string, salt: string): string {
  return `${contract}/${hash}/${salt}`;
}
