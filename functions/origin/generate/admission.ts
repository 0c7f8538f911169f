import { FoveaError } from "../../../shared/errors/error.ts";

export interface AdmissionLimits {
  /** Requests that are read, wait or run at once, over all keys. */
  readonly maxInFlight: number;
  readonly maxPerKey: number;
  /** Of the in-flight ones, how many run side by side: tells how long a place takes to come free. */
  readonly concurrency: number;
}

/** A place for one request; given back once. */
export interface Lease {
  release(): void;
}

/** How long a refused caller is told to wait, at least and at most. */
const MIN_RETRY_MS = 250;
const MAX_RETRY_MS = 30_000;

/** The guess before any request has ended. */
const FIRST_DURATION_MS = 1_000;
const SMOOTHING = 0.2;

/**
 * Decides before a body is read whether a request may come in. 503 when the origin is full or going down, 429 when the
 * key has its share: the first is nobody's fault, the second the caller's.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #perKey = new Map<string, number>();
  #inFlight = 0;
  #draining = false;
  #durationMs = FIRST_DURATION_MS;
  readonly refused = { overloaded: 0, rate_limit_exceeded: 0 };

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Lets nobody else in; who is in may finish. */
  drain(): void {
    this.#draining = true;
  }

  /** @throws FoveaError `overloaded`, `rate_limit_exceeded`, each with the time after which a retry makes sense */
  enter(keyid: string): Lease {
    const held = this.#perKey.get(keyid) ?? 0;
    if (this.#draining || this.#inFlight >= this.#limits.maxInFlight) {
      this.refused.overloaded++;
      const message = this.#draining ? "The origin is going down. Try another." : "The origin is full. Try again soon.";
      throw new FoveaError("overloaded", message, { retryAfterMs: this.#retryAfterMs() });
    }
    if (held >= this.#limits.maxPerKey) {
      this.refused.rate_limit_exceeded++;
      throw new FoveaError("rate_limit_exceeded", "This key has as many requests running as it may have.", {
        retryAfterMs: this.#retryAfterMs(),
      });
    }
    this.#inFlight++;
    this.#perKey.set(keyid, held + 1);
    return this.#lease(keyid);
  }

  #lease(keyid: string): Lease {
    const started = performance.now();
    let open = true;
    return {
      release: () => {
        if (!open) return;
        open = false;
        this.#inFlight--;
        const left = (this.#perKey.get(keyid) ?? 1) - 1;
        if (left > 0) this.#perKey.set(keyid, left);
        else this.#perKey.delete(keyid);
        this.#durationMs += SMOOTHING * (performance.now() - started - this.#durationMs);
      },
    };
  }

  /** When a place is likely free: places come free `concurrency` at a time, each after a request's usual duration. */
  #retryAfterMs(): number {
    return Math.round(Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, this.#durationMs / this.#limits.concurrency)));
  }
}
