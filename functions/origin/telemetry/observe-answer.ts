import type { EngineEvent, GenerateRequest } from "../engine/request.ts";
import { log } from "../log.ts";
import type { SpanExporter } from "./otlp.ts";
import type { TraceParent } from "./traceparent.ts";

export interface AnswerObserver {
  event(event: EngineEvent): void;
  /** The client left before the end. */
  cancelled(): void;
}

/** Writes one log line and, below the edge's span, one trace per answer: how long and how much, never what. */
export function observeAnswer(options: {
  readonly job: GenerateRequest;
  readonly encodeMs: number | undefined;
  readonly requestId: string;
  readonly release: string;
  readonly parent: TraceParent | null;
  readonly exporter: SpanExporter | null;
}): AnswerObserver {
  const { job, encodeMs, requestId, release, parent, exporter } = options;
  const start = Date.now();
  const finish = (outcome: string, end: (EngineEvent & { readonly type: "end" }) | null): void => {
    const now = Date.now();
    const numbers = {
      prompt_tokens: job.tokenIds.length,
      images: job.features.length,
      ...(encodeMs !== undefined && { encode_ms: encodeMs }),
      ...end?.usage,
      ...end?.timing,
    };
    const trace_id = parent?.traceId;
    log(outcome === "failed" ? "error" : "info", "answer", {
      request_id: requestId,
      trace_id,
      release,
      outcome,
      ms: now - start,
      ...numbers,
    });
    if (parent === null || exporter === null) return;
    const span = { name: "fovea.origin.generate", start, end: now, failed: outcome === "failed" };
    exporter.add(
      parent,
      { ...span, attributes: { request_id: requestId, release, outcome, ...numbers } },
      parts(start, end),
    );
  };
  return {
    event(event) {
      if (event.type === "end") finish("finished", event);
      else if (event.type === "error") finish("failed", null);
    },
    cancelled: () => finish("cancelled", null),
  };
}

/** Queue, prefill and decode follow one another from the submission on. */
function parts(start: number, end: (EngineEvent & { readonly type: "end" }) | null) {
  if (end === null) return [];
  const { queue_ms, prefill_ms, decode_ms, steps } = end.timing;
  const admitted = start + queue_ms;
  const prefilled = admitted + prefill_ms;
  return [
    { name: "queue", start, end: admitted, attributes: {} },
    { name: "prefill", start: admitted, end: prefilled, attributes: { prompt_tokens: end.usage.prompt_tokens } },
    { name: "decode", start: prefilled, end: prefilled + decode_ms, attributes: { steps } },
  ];
}
