import { randomBytes } from "node:crypto";
import { log } from "../log.ts";
import type { TraceParent } from "./traceparent.ts";

/** Spans that wait to be sent; beyond, new ones are dropped: a slow collector must not cost memory. */
const MAX_WAITING = 2_048;
const SEND_EVERY_MS = 2_000;
const SEND_TIMEOUT_MS = 5_000;

export interface SpanRecord {
  readonly name: string;
  /** Unix milliseconds. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly failed?: boolean;
}

/**
 * Sends spans as OTLP over HTTP in JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp). The few spans of a request
 * need neither the SDK's context tracking nor its instrumentation of modules, which costs every import.
 */
export class SpanExporter {
  readonly #url: string;
  #waiting: unknown[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(endpoint: string) {
    this.#url = `${endpoint.replace(/\/+$/, "")}/v1/traces`;
    this.#timer = setInterval(() => void this.flush(), SEND_EVERY_MS);
    this.#timer.unref();
  }

  /** Queues a span below the edge's, with its parts below it. Unsampled traces are left alone. */
  add(parent: TraceParent, span: SpanRecord, parts: readonly SpanRecord[]): void {
    if (!parent.sampled || this.#waiting.length + parts.length + 1 > MAX_WAITING) return;
    const spanId = randomBytes(8).toString("hex");
    this.#waiting.push(toOtlp(parent.traceId, parent.spanId, spanId, span, SPAN_KIND_SERVER));
    for (const part of parts) {
      const id = randomBytes(8).toString("hex");
      this.#waiting.push(toOtlp(parent.traceId, spanId, id, part, SPAN_KIND_INTERNAL));
    }
  }

  async flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const spans = this.#waiting;
    this.#waiting = [];
    const resource = { attributes: [{ key: "service.name", value: { stringValue: "fovea-origin" } }] };
    const body = { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "fovea" }, spans }] }] };
    try {
      const answer = await fetch(this.#url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
      });
      await answer.body?.cancel();
      if (!answer.ok) log("warn", "spans_refused", { status: answer.status, spans: spans.length });
    } catch {
      log("warn", "spans_lost", { spans: spans.length });
    }
  }
}

const SPAN_KIND_INTERNAL = 1;
const SPAN_KIND_SERVER = 2;
const STATUS_OK = 1;
const STATUS_ERROR = 2;

function toOtlp(traceId: string, parentSpanId: string, spanId: string, span: SpanRecord, kind: number): unknown {
  return {
    traceId,
    spanId,
    parentSpanId,
    name: span.name,
    kind,
    startTimeUnixNano: nanoseconds(span.start),
    endTimeUnixNano: nanoseconds(span.end),
    attributes: Object.entries(span.attributes).map(([key, value]) => ({
      key,
      value: typeof value === "number" ? { doubleValue: value } : { stringValue: value },
    })),
    status: { code: span.failed === true ? STATUS_ERROR : STATUS_OK },
  };
}

function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms * 1000)) * 1000n);
}
