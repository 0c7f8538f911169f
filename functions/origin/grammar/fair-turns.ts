import { FoveaError } from "../../../shared/errors/error.ts";

type Turn = () => Promise<void>;

/** Pieces of work, one at a time, the tenants in turn: one with much to do delays another by one piece. */
export class FairTurns {
  readonly #maxWaiting: number;
  /** Whose turn is next comes first. */
  readonly #waiting = new Map<string, Set<Turn>>();
  #last = "";
  #busy = false;

  /** @param maxWaiting pieces of one tenant that may wait */
  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Does `work` when its turn comes; never when `signal` aborts before.
   * @throws FoveaError `rate_limit_exceeded` when the tenant has as many waiting as it may
   */
  async take<T>(tenant: string, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const turns = this.#waiting.get(tenant) ?? new Set();
    if (turns.size >= this.#maxWaiting) {
      throw new FoveaError("rate_limit_exceeded", "This key has as many new JSON schemas waiting as it may have.", {
        retryAfterMs: 1_000,
      });
    }
    this.#waiting.set(tenant, turns);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        turns.delete(turn);
        if (turns.size === 0 && this.#waiting.get(tenant) === turns) this.#waiting.delete(tenant);
        reject(signal.reason as Error);
      };
      const turn = async (): Promise<void> => {
        signal.removeEventListener("abort", leave);
        await work().then(resolve, reject);
      };
      signal.addEventListener("abort", leave, { once: true });
      turns.add(turn);
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) await next();
    this.#busy = false;
  }

  /** The first piece of whoever has waited longest; the tenant that had the last turn goes behind the others. */
  #next(): Turn | undefined {
    const tenants = [...this.#waiting.keys()];
    const tenant = tenants.find((one) => one !== this.#last) ?? tenants[0];
    if (tenant === undefined) return undefined;
    const turns = this.#waiting.get(tenant) ?? new Set();
    const [turn] = turns;
    if (turn !== undefined) turns.delete(turn);
    this.#waiting.delete(tenant);
    if (turns.size > 0) this.#waiting.set(tenant, turns);
    this.#last = tenant;
    return turn;
  }
}
