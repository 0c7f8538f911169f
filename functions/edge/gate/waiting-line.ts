import { FoveaError } from "../../../shared/errors/error.ts";

/** What a refused caller is told to wait: about one large picture. */
const RETRY_AFTER_MS = 500;

export interface LineLimits {
  readonly maxWaiting: number;
  /** The same for one owner's jobs; absent: all of them. */
  readonly maxWaitingOfOne?: number;
  readonly maxWaitMs: number;
  /** What a refused caller is told: why there is no room. */
  readonly message: string;
}

/** A job that waits for room. */
export interface Waiting {
  readonly units: number;
  readonly owner: string;
  /** Its turn has come. */
  readonly pass: () => void;
}

/** Jobs that wait for room, in the order in which they came. */
export class WaitingLine {
  readonly #limits: LineLimits;
  readonly #waiting: Waiting[] = [];

  constructor(limits: LineLimits) {
    this.#limits = limits;
  }

  /** Waits until the job is taken. @throws FoveaError `overloaded` when too many wait, or when it takes too long */
  turn(units: number, owner: string): Promise<void> {
    const { maxWaiting, maxWaitingOfOne = maxWaiting, maxWaitMs } = this.#limits;
    const ofOwner = this.#waiting.filter((waiting) => waiting.owner === owner).length;
    if (this.#waiting.length >= maxWaiting || ofOwner >= maxWaitingOfOne) throw this.#overloaded();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const place = this.#waiting.indexOf(waiting);
        // Its turn may have come: another request cannot clear this one's timer
        if (place === -1) return;
        this.#waiting.splice(place, 1);
        reject(this.#overloaded());
      }, maxWaitMs);
      const pass = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const waiting: Waiting = { units, owner, pass };
      this.#waiting.push(waiting);
    });
  }

  /** Whose turn it is, out of the line if it fits: the first whose owner holds nothing, else the first. */
  take(free: number, holdsRoom: (owner: string) => boolean): Waiting | undefined {
    const next = this.#waiting.find(({ owner }) => !holdsRoom(owner)) ?? this.#waiting[0];
    if (next === undefined || next.units > free) return undefined;
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    return next;
  }

  /** Whether a job of another owner waits. */
  hasOtherThan(owner: string): boolean {
    return this.#waiting.some((waiting) => waiting.owner !== owner);
  }

  #overloaded(): FoveaError {
    return new FoveaError("overloaded", this.#limits.message, { retryAfterMs: RETRY_AFTER_MS });
  }
}
