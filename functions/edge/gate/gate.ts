import { waitUntil } from "cloudflare:workers";
import { FoveaError } from "../../../shared/errors/error.ts";

/** What a refused caller is told to wait: about one large picture. */
const RETRY_AFTER_MS = 500;

export interface GateLimits {
  /** Units that all running jobs may take together. */
  readonly capacity: number;
  readonly maxWaiting: number;
  readonly maxWaitMs: number;
  /** What a refused caller is told: why there is no room. */
  readonly message: string;
}

/** What a running job holds. */
export interface Lease {
  /** Gives back all but so many units, before the job ends. */
  readonly shrinkTo: (units: number) => void;
}

interface Waiting {
  readonly units: number;
  readonly pass: () => void;
}

/** Lets jobs run as long as what they take together fits, the others wait their turn. */
export class Gate {
  readonly #limits: GateLimits;
  #free: number;
  readonly #waiting: Waiting[] = [];

  constructor(limits: GateLimits) {
    this.#limits = limits;
    this.#free = limits.capacity;
  }

  /**
   * Runs the job as soon as there is room for it: those that wait go in order, and what fits beside the jobs that run need
   * not wait.
   *
   * @param units at most the capacity
   * @throws FoveaError `overloaded` when too many wait, or when the turn does not come in time
   */
  run<T>(units: number, job: (lease: Lease) => Promise<T>): Promise<T> {
    const running = this.#run(units, job);
    // The runtime may end a request that its client has left in the middle of its job, which would then never give its room back
    waitUntil(running.catch(() => undefined));
    return running;
  }

  async #run<T>(units: number, job: (lease: Lease) => Promise<T>): Promise<T> {
    if (units > this.#free) await this.#turn(units);
    else this.#free -= units;
    let held = units;
    const shrinkTo = (left: number): void => {
      if (left >= held) return;
      this.#free += held - left;
      held = left;
      this.#letIn();
    };
    try {
      return await job({ shrinkTo });
    } finally {
      shrinkTo(0);
    }
  }

  /** Room passes on without opening in between, so that nobody slips in. */
  #letIn(): void {
    for (let next = this.#waiting[0]; next !== undefined && next.units <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.units;
      next.pass();
    }
  }

  #turn(units: number): Promise<void> {
    const { maxWaiting, maxWaitMs } = this.#limits;
    if (this.#waiting.length >= maxWaiting) throw this.#overloaded();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const place = this.#waiting.indexOf(waiting);
        // Its turn may have come: another request cannot clear this one's timer
        if (place === -1) return;
        this.#waiting.splice(place, 1);
        reject(this.#overloaded());
      }, maxWaitMs);
      const waiting: Waiting = {
        units,
        pass: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      this.#waiting.push(waiting);
    });
  }

  #overloaded(): FoveaError {
    return new FoveaError("overloaded", this.#limits.message, { retryAfterMs: RETRY_AFTER_MS });
  }
}
