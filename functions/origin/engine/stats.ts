/** Bounds of the histograms, seconds; chosen so that both a token of a small model and a slow first answer are told apart. */
const BOUNDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];

/** A histogram as Prometheus counts one. Plain data, so that it crosses threads. */
export interface Histogram {
  readonly bounds: readonly number[];
  /** Per bound, and one more for what lies beyond. */
  readonly counts: number[];
  sum: number;
}

function histogram(): Histogram {
  return { bounds: BOUNDS, counts: Array.from({ length: BOUNDS.length + 1 }, () => 0), sum: 0 };
}

function observe(into: Histogram, seconds: number): void {
  const bucket = into.bounds.findIndex((bound) => seconds <= bound);
  const index = bucket < 0 ? into.bounds.length : bucket;
  into.counts[index] = (into.counts[index] ?? 0) + 1;
  into.sum += seconds;
}

/** What the engine counts. */
export class EngineStats {
  readonly ttft = histogram();
  readonly timePerToken = histogram();
  promptTokens = 0;
  answerTokens = 0;
  steps = 0;
  /** Sum of batch sizes over all steps. */
  batched = 0;
  prefillSeconds = 0;
  decodeSeconds = 0;
  readonly outcomes = { finished: 0, failed: 0, cancelled: 0 };
  /** The inside of the last failure, for the operator's log alone. */
  lastFailure: string | null = null;

  prompt(tokens: number, ms: number): void {
    this.promptTokens += tokens;
    this.prefillSeconds += ms / 1000;
  }

  firstToken(ms: number): void {
    observe(this.ttft, ms / 1000);
  }

  step(batch: number, ms: number): void {
    this.steps++;
    this.batched += batch;
    this.answerTokens += batch;
    this.decodeSeconds += ms / 1000;
    observe(this.timePerToken, ms / 1000);
  }

  ended(outcome: "finished" | "failed" | "cancelled"): void {
    this.outcomes[outcome]++;
  }
}
