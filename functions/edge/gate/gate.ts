import { waitUntil } from "cloudflare:workers";
import { WaitingLine, type LineLimits } from "./waiting-line.ts";

export interface GateLimits extends LineLimits {
  /** Units that all running jobs may take together. */
  readonly capacity: number;
}

/** What a running job holds. */
export interface Lease {
  /** Gives back all but so many units, before the job ends. */
  readonly shrinkTo: (units: number) => void;
  /** Whether its owner's jobs hold more than half of the room while another owner waits for some. */
  readonly isPressed: () => boolean;
}

/** Lets jobs run as long as what they take together fits, the others wait their turn. */
export class Gate {
  readonly #capacity: number;
  readonly #line: WaitingLine;
  #free: number;
  /** Units by owner; none is 0. */
  readonly #held = new Map<string, number>();

  constructor(limits: GateLimits) {
    this.#capacity = limits.capacity;
    this.#free = limits.capacity;
    this.#line = new WaitingLine(limits);
  }

  /**
   * Runs the job as soon as there is room for it: those that wait go in order, who holds nothing before who does, and what
   * fits beside the jobs that run need not wait.
   *
   * @param units at most the capacity
   * @param owner who shares the room with other owners
   * @throws FoveaError `overloaded` when too many wait, or when the turn does not come in time
   */
  run<T>(units: number, job: (lease: Lease) => Promise<T>, owner = ""): Promise<T> {
    const running = this.#run(units, job, owner);
    // The runtime may end a request that its client has left in the middle of its job, which would then never give its room back
    waitUntil(running.catch(() => undefined));
    return running;
  }

  async #run<T>(units: number, job: (lease: Lease) => Promise<T>, owner: string): Promise<T> {
    if (units > this.#free) await this.#line.turn(units, owner);
    else this.#hold(units, owner);
    let held = units;
    const shrinkTo = (left: number): void => {
      if (left >= held) return;
      this.#free += held - left;
      // While its owner still counts as one who holds room, so that others go first
      this.#letIn();
      this.#count(left - held, owner);
      held = left;
    };
    try {
      return await job({ shrinkTo, isPressed: () => this.#isPressed(owner) });
    } finally {
      shrinkTo(0);
    }
  }

  /** Room passes on without opening in between, so that nobody slips in. */
  #letIn(): void {
    const next = (): ReturnType<WaitingLine["take"]> => this.#line.take(this.#free, (owner) => this.#held.has(owner));
    for (let waiting = next(); waiting !== undefined; waiting = next()) {
      this.#hold(waiting.units, waiting.owner);
      waiting.pass();
    }
  }

  #hold(units: number, owner: string): void {
    this.#free -= units;
    this.#count(units, owner);
  }

  #count(units: number, owner: string): void {
    const held = (this.#held.get(owner) ?? 0) + units;
    if (held === 0) this.#held.delete(owner);
    else this.#held.set(owner, held);
  }

  #isPressed(owner: string): boolean {
    return 2 * (this.#held.get(owner) ?? 0) > this.#capacity && this.#line.hasOtherThan(owner);
  }
}
