import type { EngineHost } from "../../functions/origin/engine/host.ts";
import { quantile } from "../numbers/statistics.ts";
import { greedy, stream } from "./streams.ts";

const PROMPTS = 12;
const TICK_MS = 1;

export interface LoopDelay {
  /** Milliseconds by which each turn of the event loop came late. */
  readonly late: readonly number[];
  /** The most processor time that the thread itself took in one turn, milliseconds: the rest of a delay is the system's. */
  readonly busiest: number;
}

/** How late the thread that answers health checks comes to its next event while the engine computes prompts. */
export async function loopDelayDuringPrefill(engine: EngineHost, prompt: Int32Array): Promise<LoopDelay> {
  const late: number[] = [];
  let busiest = 0;
  const end = new AbortController();
  const watch = async (): Promise<void> => {
    while (!end.signal.aborted) {
      const [began, cpu] = [performance.now(), threadMs()];
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
      late.push(performance.now() - began - TICK_MS);
      busiest = Math.max(busiest, threadMs() - cpu);
    }
  };
  const watching = watch();
  // A first token of its own for each, so that no prompt finds another's prefix.
  const prompts = Array.from({ length: PROMPTS }, (_, i) => Int32Array.of(i + 10, ...prompt));
  await Promise.all(prompts.map((ids, i) => stream(engine, greedy(ids, 1, `health-${i}`))));
  end.abort();
  await watching;
  return { late, busiest };
}

export function showLoopDelay({ late, busiest }: LoopDelay): string {
  const ms = (share: number): string => quantile(late, share).toFixed(1);
  return `p50 ${ms(0.5)}, p95 ${ms(0.95)}, p99 ${ms(0.99)}, max ${ms(1)} ms of ${late.length}; own time ${busiest.toFixed(1)} ms at most`;
}

/** Processor time of this thread. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
