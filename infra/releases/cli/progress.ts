import { formatBytes, formatSeconds } from "./format.ts";

/** Often enough to look alive, seldom enough to cost nothing. */
const REDRAW_MS = 100;
const WIDTH = 24;

export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * One line that is drawn over: bytes, rate, time left. Draws nothing where nobody looks (no terminal), so that logs stay
 * readable. The rate is over the whole phase, because shards finish in bursts.
 */
export class ProgressBar {
  readonly #output: ProgressOutput;
  readonly #now: () => number;
  readonly #shown: boolean;
  #phase = "";
  #startedAt = 0;
  #startBytes = 0;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #drawn = false;

  constructor(output: ProgressOutput, options: { readonly quiet?: boolean; readonly now?: () => number } = {}) {
    this.#output = output;
    this.#now = options.now ?? Date.now;
    this.#shown = output.isTTY === true && options.quiet !== true;
  }

  update(phase: string, doneBytes: number, totalBytes: number): void {
    if (!this.#shown) return;
    const now = this.#now();
    if (phase !== this.#phase) {
      this.clear();
      this.#phase = phase;
      this.#startedAt = now;
      this.#startBytes = doneBytes;
      this.#drawnAt = Number.NEGATIVE_INFINITY;
    }
    if (now - this.#drawnAt < REDRAW_MS && doneBytes < totalBytes) return;
    this.#drawnAt = now;
    this.#drawn = true;
    this.#output.write(`\r\u001B[K${this.#line(doneBytes, totalBytes, now)}`);
  }

  /** Says what goes on where no bytes can be counted. */
  note(text: string): void {
    if (!this.#shown) return;
    this.clear();
    this.#drawn = true;
    this.#output.write(text);
  }

  /** Takes the line away, before anything else is printed. */
  clear(): void {
    if (this.#drawn) this.#output.write("\r\u001B[K");
    this.#drawn = false;
  }

  #line(done: number, total: number, now: number): string {
    const share = total === 0 ? 1 : Math.min(1, done / total);
    const bar = "#".repeat(Math.floor(share * WIDTH)).padEnd(WIDTH, ".");
    const seconds = (now - this.#startedAt) / 1000;
    const rate = seconds > 0 ? (done - this.#startBytes) / seconds : 0;
    const left = rate > 0 ? `${formatSeconds((total - done) / rate)} left` : "";
    return `${this.#phase} [${bar}] ${formatBytes(done)} of ${formatBytes(total)}  ${formatBytes(Math.round(rate))}/s  ${left}`.trimEnd();
  }
}
