import { FoveaError } from "../../shared/errors/error.ts";

/** Jobs that wait for the encoder; at 0.4 s each the last waits 3 s. Beyond: 503, and another isolate may be free. */
const MAX_WAITING = 8;

/** What a refused caller is told to wait: about one encode. */
const RETRY_AFTER_MS = 500;

/** Runs one job after another: onnxruntime-web's sessions are not re-entrant, and two jobs would double the peak. */
export class Gate {
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** @throws FoveaError `overloaded` when too many jobs wait already */
  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.#waiting >= MAX_WAITING) {
      throw new FoveaError("overloaded", "The encoder is busy. Try again shortly.", { retryAfterMs: RETRY_AFTER_MS });
    }
    this.#waiting++;
    const result = this.#tail.then(job);
    this.#tail = result.catch(() => undefined);
    try {
      return await result;
    } finally {
      this.#waiting--;
    }
  }
}
