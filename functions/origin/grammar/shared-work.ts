/** One piece of work that several wait for; it is given up when all of them have left. */
export class SharedWork {
  readonly #given = new AbortController();
  readonly #onGiven: () => void;
  readonly #result: Promise<void>;
  #waiting = 0;

  /** @param onGiven called when the last has left: nobody may join any more */
  constructor(begin: (signal: AbortSignal) => Promise<void>, onGiven: () => void) {
    this.#onGiven = onGiven;
    this.#result = begin(this.#given.signal);
    this.#result.catch(() => undefined);
  }

  /** Waits for the result, or until `signal` aborts. @throws its reason then */
  join(signal: AbortSignal): Promise<void> {
    this.#waiting++;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        reject(signal.reason as Error);
        if (--this.#waiting > 0) return;
        this.#onGiven();
        this.#given.abort(signal.reason);
      };
      if (signal.aborted) return leave();
      signal.addEventListener("abort", leave, { once: true });
      void this.#result.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
    });
  }
}
