import type { Context } from "hono";
import { decodeFrame } from "../../../shared/frame/decode.ts";
import type { Frame } from "../../../shared/frame/frame.ts";
import { FRAME_CONTENT_TYPE } from "../../../shared/frame/schema.ts";
import { tenantOf } from "../../../shared/frame/tenant.ts";
import { FoveaError } from "../../../shared/errors/error.ts";
import { checkContentDigest } from "../../../shared/http-signature/digest.ts";
import { verifyRequest } from "../../../shared/http-signature/verify.ts";
import { MAX_FRAME_BYTES } from "../../../shared/limits/limits.ts";
import { EVENT_STREAM_HEADERS } from "../../../shared/sse/format.ts";
import { checkContract } from "../../../shared/releases/contract.ts";
import type { OriginContext, OriginEnv } from "../context.ts";
import { checkRequest } from "../engine/check-request.ts";
import { grammarOf } from "../grammar/answer-grammar.ts";
import type { GenerateRequest } from "../engine/request.ts";
import type { HeldRelease } from "../serving/serving.ts";
import { observeAnswer } from "../telemetry/observe-answer.ts";
import { parseTraceparent } from "../telemetry/traceparent.ts";
import { readBody } from "./read-body.ts";
import { streamAnswer } from "./stream-answer.ts";
import { toRequest } from "./to-request.ts";

/**
 * `POST /v1/generate`: one frame in, an event stream of token ids out. The order of checks is the order of what they
 * cost: signature from the headers alone, admission, the body up to its cap, its digest, the frame, the release.
 */
export function generateRoute(origin: OriginContext) {
  return async function generate(c: Context<OriginEnv>): Promise<Response> {
    const request = c.req.raw;
    if (request.headers.get("content-type") !== FRAME_CONTENT_TYPE) {
      throw new FoveaError("unsupported_media_type", `Send a frame as ${FRAME_CONTENT_TYPE}.`);
    }
    await verifyRequest(
      { method: request.method, url: request.url, headers: request.headers },
      origin.keys,
      origin.nonces,
    );
    const lease = origin.admission.enter(keyIdOf(request.headers));
    let leave = (): void => lease.release();
    try {
      const { held, job, encodeMs } = await accept(origin, request);
      leave = () => {
        held.release();
        lease.release();
      };
      const { release } = held.local;
      const observer = observeAnswer({
        job,
        encodeMs,
        requestId: c.get("requestId"),
        release: `${release.name}@${release.version}`,
        parent: parseTraceparent(request.headers.get("traceparent")),
        exporter: origin.exporter,
      });
      const stream = streamAnswer({ engine: held.engine, job, observer, leave, encodeMs });
      return new Response(stream, { headers: EVENT_STREAM_HEADERS });
    } catch (error) {
      leave();
      // Whoever waited for it is gone: nothing to mend here.
      if (error === request.signal.reason)
        throw new FoveaError("invalid_request", "The client left.", { cause: error });
      throw error;
    }
  };
}

interface Accepted {
  readonly held: HeldRelease;
  readonly job: GenerateRequest;
  /** What encoding its pixels took; undefined when it brought none. */
  readonly encodeMs: number | undefined;
}

async function accept(origin: OriginContext, request: Request): Promise<Accepted> {
  const body = await readBody(request, MAX_FRAME_BYTES);
  await checkContentDigest(request.headers, body);
  const frame = decodeFrame(body);
  const held = await origin.serving.named(frame.meta.model, frame.meta.release);
  try {
    return { held, ...(await prepare(origin, frame, held, request.signal)) };
  } catch (error) {
    held.release();
    throw error;
  }
}

async function prepare(
  origin: OriginContext,
  frame: Frame,
  { local, engine }: HeldRelease,
  signal: AbortSignal,
): Promise<Omit<Accepted, "held">> {
  checkContract(frame.meta.contract, local.release);
  const started = performance.now();
  const encoded = await origin.encoders.encodePixels(frame, local);
  const encodeMs = encoded.size === 0 ? undefined : performance.now() - started;
  const job = toRequest(frame, {
    // Not the caller's id: two requests may carry the same.
    id: crypto.randomUUID(),
    hiddenSize: engine.spec.hiddenSize,
    features: origin.features,
    encoded,
    deadline: Date.now() + origin.settings.requestMs,
  });
  checkRequest(job, engine);
  const grammar = grammarOf(job.sampling);
  if (grammar !== null) await engine.checkGrammar(grammar, { tenant: tenantOf(job.salt), signal });
  return { job, encodeMs };
}

/** Which key signed: for quotas, after the signature was verified. */
function keyIdOf(headers: Headers): string {
  return /;keyid="([^"]*)"/.exec(headers.get("signature-input") ?? "")?.[1] ?? "";
}
