import { FoveaError } from "../../../shared/errors/error.ts";
import { answerEventSchema, type AnswerEvent } from "../../../shared/frame/answer.ts";
import { FRAME_CONTENT_TYPE } from "../../../shared/frame/schema.ts";
import type { SigningKey } from "../../../shared/http-signature/keys.ts";
import { signedHeaders } from "../../../shared/http-signature/sign.ts";
import { MAX_ORIGIN_ACCEPT_MS, MAX_ORIGIN_QUEUE_MS, MAX_ORIGIN_SILENCE_MS } from "../../../shared/limits/origin.ts";
import { parseEventStream } from "../../../shared/sse/parse.ts";
import { heard } from "./heard.ts";
import { inTime } from "./in-time.ts";
import { refusal } from "./refusal.ts";

/** `traceparent` of W3C Trace Context, which comes from the client; anything else might be no header at all. */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

export interface OriginTarget {
  readonly originUrl: string;
  readonly originKey: SigningKey;
}

export interface OriginCall {
  readonly frame: Uint8Array<ArrayBuffer>;
  /** Aborting it frees the sequence at the origin. */
  readonly signal: AbortSignal;
  readonly requestId: string;
  /** Of the client; goes along when it is one. */
  readonly traceparent?: string | undefined;
}

/**
 * Sends a frame and opens its answer. The promise settles when the origin has accepted or refused the frame, or is silent for too
 * long; so does every step of the answer.
 * @throws FoveaError what the origin answered, `origin_failed`, or `origin_timeout`
 */
export async function openAnswer(target: OriginTarget, call: OriginCall): Promise<AsyncGenerator<AnswerEvent>> {
  const url = `${target.originUrl}/v1/generate`;
  const headers = await signedHeaders(
    { method: "POST", url, contentType: FRAME_CONTENT_TYPE, body: call.frame },
    target.originKey,
  );
  headers.set("x-request-id", call.requestId);
  if (call.traceparent !== undefined && TRACEPARENT.test(call.traceparent))
    headers.set("traceparent", call.traceparent);
  const giveUp = new AbortController();
  const signal = AbortSignal.any([call.signal, giveUp.signal]);
  // The frame is for the origin alone, wherever that would send it
  const request = { method: "POST", headers, body: call.frame, signal, redirect: "manual" } as const;
  const accepting = fetch(url, request).catch((cause: unknown) => {
    throw new FoveaError("origin_failed", "The origin could not be reached. Try again.", { cause });
  });
  const response = await inTime(accepting, MAX_ORIGIN_ACCEPT_MS, giveUp);
  if (!response.ok) throw await inTime(refusal(response), MAX_ORIGIN_SILENCE_MS, giveUp);
  if (response.body === null) throw new FoveaError("origin_failed", "The origin answered with nothing.");
  return events(response.body as ReadableStream<Uint8Array>, giveUp);
}

/** An answer without its end: what came of it is no whole answer, whatever the stream says. */
export function brokenOff(cause?: unknown): FoveaError {
  return new FoveaError("origin_failed", "The origin's answer broke off. Try again.", { cause });
}

/** The answer's events, checked. Whether all have come is for the reader to say, who knows how many choices there are. */
async function* events(body: ReadableStream<Uint8Array>, giveUp: AbortController): AsyncGenerator<AnswerEvent> {
  const stream = parseEventStream(body);
  let patience = MAX_ORIGIN_QUEUE_MS;
  try {
    for (;;) {
      const next = await inTime(stream.next(), patience, giveUp);
      if (next.done === true) return;
      const event = answerEventSchema.parse(JSON.parse(next.value));
      if ("error" in event) throw heard(event.error);
      yield event;
      patience = MAX_ORIGIN_SILENCE_MS;
    }
  } catch (error) {
    if (error instanceof FoveaError) throw error;
    throw brokenOff(error);
  } finally {
    // After a timeout a read is open, for which `return` would wait; the abort ends it
    if (!giveUp.signal.aborted) await stream.return(undefined);
  }
}
