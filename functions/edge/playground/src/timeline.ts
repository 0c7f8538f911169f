import type { Span, SpanName, SpanPlace, Timing } from "../../../../shared/openai/timing.ts";

/** One line of the waterfall: every span of one name at one place. */
export interface Row {
  readonly name: SpanName;
  readonly place: SpanPlace;
  readonly durationMs: number;
  /** Offset and length of each bar, as shares of the whole time (0 to 1). */
  readonly bars: readonly { readonly start: number; readonly length: number }[];
}

export const SPAN_LABELS: Readonly<Record<SpanName, string>> = {
  image_decode: "Decode the picture",
  preprocess: "Resize, normalise",
  encode: "Encode and project",
  tokenize: "Template, tokens",
  wire: "Edge to origin",
  queue: "Wait for a place",
  prefill: "Read the prompt",
  decode: "Write the answer",
};

/** Rows in the order in which they begin. A span that reaches past the total, by rounding or a clock, ends with it. */
export function timeline({ spans, total_ms }: Timing): Row[] {
  const end = Math.max(total_ms, ...spans.map((span) => span.start_ms + span.duration_ms), Number.EPSILON);
  const groups = Map.groupBy(
    spans.toSorted((a, b) => a.start_ms - b.start_ms),
    ({ place, name }) => `${place} ${name}`,
  );
  return [...groups.values()].flatMap((group) => {
    const first = group[0];
    return first === undefined ? [] : [toRow(first, group, end)];
  });
}

function toRow({ name, place }: Span, group: readonly Span[], end: number): Row {
  return {
    name,
    place,
    durationMs: group.reduce((sum, span) => sum + span.duration_ms, 0),
    bars: group.map((span) => ({ start: Math.max(0, span.start_ms / end), length: span.duration_ms / end })),
  };
}

/** `0.4 ms`, `27 ms`, `1.25 s`: three digits at most, so that a column of them reads at a glance. */
export function formatMs(ms: number): string {
  if (ms >= 999.5) return `${(ms / 1000).toFixed(2)} s`;
  return ms >= 9.95 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}

/** `812 B`, `8.4 kB`, `1.2 MB`; decimal units, as networks count. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
