/**
 * Bounded single-flight memo: concurrent callers of one key share one load, a finished value is kept until it is the one
 * used longest ago, and a failure is never kept.
 *
 * In a Worker a load belongs to the request that began it. When that client leaves, the runtime may drop the load and its
 * promise never settles; a follower therefore waits `patienceMs` and then loads on its own.
 */
export class Memo<V> {
  readonly #entries = new Map<string, Promise<V>>();
  readonly #max: number;
  readonly #patienceMs: number;

  constructor(options: { readonly max: number; readonly patienceMs?: number }) {
    this.#max = options.max;
    this.#patienceMs = options.patienceMs ?? Number.POSITIVE_INFINITY;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The value of `key`, loaded at most once at a time. Rejects with what `load` rejected with. */
  async get(key: string, load: () => Promise<V>): Promise<V> {
    const known = this.#entries.get(key);
    if (known === undefined) return this.#begin(key, load);
    this.#entries.delete(key);
    this.#entries.set(key, known);
    if (!Number.isFinite(this.#patienceMs)) return known;
    const settled = await withPatience(known, this.#patienceMs);
    if (settled !== GAVE_UP) return settled;
    if (this.#entries.get(key) === known) this.#entries.delete(key);
    return this.get(key, load);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  #begin(key: string, load: () => Promise<V>): Promise<V> {
    // An async function turns a synchronous throw of `load` into a rejection, so that it is evicted like any other.
    const entry = (async () => load())();
    this.#entries.set(key, entry);
    entry.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#max) break;
      this.#entries.delete(oldest);
    }
    return entry;
  }
}

const GAVE_UP = Symbol("gave up");

async function withPatience<V>(promise: Promise<V>, ms: number): Promise<V | typeof GAVE_UP> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const patience = new Promise<typeof GAVE_UP>((resolve) => {
    timer = setTimeout(() => resolve(GAVE_UP), ms);
  });
  try {
    return await Promise.race([promise, patience]);
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}
