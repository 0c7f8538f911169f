export type SpanName = "image_decode" | "preprocess" | "encode" | "tokenize" | "wire" | "queue" | "prefill" | "decode";
export type SpanPlace = "edge" | "encoder" | "wire" | "origin";

/** One piece of the time that a request took; milliseconds since the request arrived at the edge. */
export interface Span {
  readonly name: SpanName;
  readonly place: SpanPlace;
  readonly start_ms: number;
  readonly duration_ms: number;
}

/** Where a request's time went: `fovea.timing` of an answer, and the `Server-Timing` header. */
export interface Timing {
  /** False where the clock stands still between I/O (workerd in production): CPU stages of the edge then measure 0. */
  readonly local: boolean;
  readonly total_ms: number;
  /** Bytes of all frames from edge to origin. */
  readonly wire_bytes: number;
  readonly decode_steps: number;
  readonly spans: readonly Span[];
}

/** `Server-Timing` (W3C Server Timing): one entry a span, those of one name added up. */
export function serverTiming(timing: Timing): string {
  const totals = new Map<string, number>();
  for (const { name, duration_ms } of timing.spans) totals.set(name, (totals.get(name) ?? 0) + duration_ms);
  const entries = [...totals].map(([name, dur]) => `${name};dur=${dur.toFixed(1)}`);
  const clock = timing.local ? "local" : "clock-stands-still";
  return [
    ...entries,
    `wire_bytes;desc="${timing.wire_bytes}"`,
    `decode_steps;desc="${timing.decode_steps}"`,
    `total;dur=${timing.total_ms.toFixed(1)};desc="${clock}"`,
  ].join(", ");
}
