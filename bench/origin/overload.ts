import { Admission } from "../../functions/origin/generate/admission.ts";
import type { EngineHost } from "../../functions/origin/engine/host.ts";
import { greedy, stream } from "./streams.ts";

const TOKENS = 24;

export interface Overload {
  /** Answered tokens per second with as many callers as the engine runs side by side. */
  readonly peak: number;
  /** The same with twice the arrivals, of which admission refuses what does not fit. */
  readonly goodput: number;
  readonly refused: number;
  readonly slowestRefusalMs: number;
}

/**
 * What admission keeps of the peak when requests arrive at twice the rate that can be served.
 * @param salt of this round: no round reads another's prefixes
 */
export async function overload(
  engine: EngineHost,
  prompts: readonly Int32Array[],
  requests: number,
  salt: string,
): Promise<Overload> {
  const concurrency = engine.maxSequences;
  let sent = 0;
  const began = performance.now();
  const lane = async (): Promise<number[]> => {
    const times: number[] = [];
    while (sent < requests)
      times.push(...(await stream(engine, greedy(pick(prompts, sent++), TOKENS, `${salt}-peak-${sent}`))));
    return times;
  };
  const lanes = await Promise.all(Array.from({ length: concurrency }, lane));
  const seconds = (performance.now() - began) / 1000;
  // From when every lane answers until the first one found nothing left to send: before and after, the batch is not full.
  const peakBegin = Math.max(...lanes.map(([first = began]) => first));
  const peakEnd = Math.min(...lanes.map((times) => times.at(-1) ?? began));
  const peak = rate(lanes.flat(), peakBegin, peakEnd);

  const admission = new Admission({ maxInFlight: 2 * concurrency, maxPerKey: 1_000, concurrency });
  const arrivalMs = (seconds * 1000) / requests / 2;
  const started = performance.now();
  const running: Promise<void>[] = [];
  const answered: number[] = [];
  const firsts: number[] = [];
  let slowestRefusalMs = 0;
  for (let i = 0; i < 2 * requests; i++) {
    // By the clock and not by sleeping a fixed time, so that a late timer does not lower the rate.
    const wait = started + i * arrivalMs - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const asked = performance.now();
    try {
      const lease = admission.enter("bench");
      const answer = async (): Promise<void> => {
        const times = await stream(engine, greedy(pick(prompts, i), TOKENS, `${salt}-over-${i}`));
        answered.push(...times);
        firsts.push(...times.slice(0, 1));
        lease.release();
      };
      running.push(answer());
    } catch {
      slowestRefusalMs = Math.max(slowestRefusalMs, performance.now() - asked);
    }
  }
  const arrivalsEnd = performance.now();
  await Promise.all(running);
  // The same for goodput: from the answer that filled the batch until nobody arrives any more.
  const full = firsts.toSorted((a, b) => a - b)[concurrency - 1] ?? started;
  return {
    peak,
    goodput: rate(answered, full, arrivalsEnd),
    refused: admission.refused.overloaded,
    slowestRefusalMs,
  };
}

/** Tokens per second between two moments. */
function rate(times: readonly number[], from: number, to: number): number {
  return times.filter((time) => time > from && time <= to).length / ((to - from) / 1000);
}

function pick(prompts: readonly Int32Array[], index: number): Int32Array {
  return prompts[index % prompts.length] ?? new Int32Array([1]);
}
