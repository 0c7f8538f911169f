import { FoveaError } from "../../../shared/errors/error.ts";
import { MAX_PICTURE_WAIT_MS, MAX_WAITING_PICTURES } from "../../../shared/limits/image.ts";

/** What a refused caller is told to wait: about one large picture. */
const RETRY_AFTER_MS = 500;

interface Limits {
  readonly maxWaiting: number;
  readonly maxWaitMs: number;
}

/**
 * One picture job at a time in an isolate. A decoded picture lives on a codec's heap until the job is done with it, so
 * a second job would overwrite it, and two heaps at their peak would not fit 128 MB.
 */
export class PictureGate {
  readonly #limits: Limits;
  #busy = false;
  readonly #waiting: (() => void)[] = [];

  constructor(limits: Limits = { maxWaiting: MAX_WAITING_PICTURES, maxWaitMs: MAX_PICTURE_WAIT_MS }) {
    this.#limits = limits;
  }

  /**
   * Runs the job when all before it are done, however they ended.
   *
   * @throws FoveaError `overloaded` when too many wait, or when the turn does not come in time
   */
  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.#busy) await this.#turn();
    this.#busy = true;
    try {
      return await job();
    } finally {
      // The gate passes to the next without opening in between, so that nobody slips in
      const next = this.#waiting.shift();
      if (next === undefined) this.#busy = false;
      else next();
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#limits.maxWaiting) throw overloaded();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(pass), 1);
        reject(overloaded());
      }, this.#limits.maxWaitMs);
      const pass = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.push(pass);
    });
  }
}

function overloaded(): FoveaError {
  return new FoveaError("overloaded", "Other pictures are being read. Try again shortly.", {
    retryAfterMs: RETRY_AFTER_MS,
  });
}
