import type { OriginTiming } from "../../../shared/frame/answer.ts";
import type { Span, SpanName, SpanPlace, Timing } from "../../../shared/openai/timing.ts";

/** Measures the steps of one request, in milliseconds since it arrived. */
export class Stopwatch {
  readonly #arrivedAt: number;
  readonly #local: boolean;
  readonly #spans: Span[] = [];
  #wireBytes = 0;
  #decodeSteps = 0;

  constructor(arrivedAt: number, local: boolean) {
    this.#arrivedAt = arrivedAt;
    this.#local = local;
  }

  now(): number {
    return performance.now() - this.#arrivedAt;
  }

  /** Measures `work`, also when it fails. */
  async time<T>(name: SpanName, place: SpanPlace, work: () => T | Promise<T>): Promise<T> {
    const start = this.now();
    try {
      return await work();
    } finally {
      this.add(name, place, start, this.now() - start);
    }
  }

  add(name: SpanName, place: SpanPlace, start_ms: number, duration_ms: number): void {
    this.#spans.push({ name, place, start_ms: round(start_ms), duration_ms: round(duration_ms) });
  }

  addWireBytes(bytes: number): void {
    this.#wireBytes += bytes;
  }

  /**
   * The origin's own spans, laid end to end up to now: its clock is another one, so only durations are believed. What is
   * left between sending the frame and the origin's time is the wire's.
   */
  addOrigin(sentAt: number, timing: OriginTiming): void {
    const { encode_ms, queue_ms, prefill_ms, decode_ms, steps } = timing;
    const spent = (encode_ms ?? 0) + queue_ms + prefill_ms + decode_ms;
    const wire = Math.max(0, this.now() - sentAt - spent);
    this.add("wire", "wire", sentAt, wire);
    let at = sentAt + wire;
    for (const [name, duration] of [
      ["encode", encode_ms],
      ["queue", queue_ms],
      ["prefill", prefill_ms],
      ["decode", decode_ms],
    ] as const) {
      if (duration === undefined) continue;
      this.add(name, "origin", at, duration);
      at += duration;
    }
    this.#decodeSteps += steps;
  }

  timing(): Timing {
    return {
      local: this.#local,
      total_ms: round(this.now()),
      wire_bytes: this.#wireBytes,
      decode_steps: this.#decodeSteps,
      spans: this.#spans,
    };
  }
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
