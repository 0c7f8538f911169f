import type { EncodeJob, EncodeResult, EncoderRpc } from "../../../shared/encoding/job.ts";
import { FoveaError } from "../../../shared/errors/error.ts";
import { ERROR_TABLE, type ErrorCode } from "../../../shared/errors/table.ts";
import { encoderLoad } from "./encoder-load.ts";

/**
 * The encoder Worker behind the service binding.
 * @throws FoveaError what the encoder answered; `overloaded` when its isolate went away in the middle
 */
export async function encodeAtEdge(env: Env, job: EncodeJob): Promise<EncodeResult> {
  return encoderLoad.run(() => encode(encoderOf(env), job));
}

async function encode(encoder: EncoderRpc, job: EncodeJob): Promise<EncodeResult> {
  const outcome = await encoder.encode(job).catch((cause: unknown) => {
    throw new FoveaError("overloaded", "The encoder went away. Try again.", { cause, retryAfterMs: 1000 });
  });
  // The result crossed the binding by value; disposing says that nothing of the call is needed any more.
  (outcome as Partial<Disposable>)[Symbol.dispose]?.();
  if ("ok" in outcome) return outcome.ok;
  const { code, message } = outcome.error;
  throw new FoveaError(code in ERROR_TABLE ? (code as ErrorCode) : "internal_error", message);
}

/** wrangler knows that ENCODER is a Worker, not what it exports; `EncoderRpc` is what both sides are checked against. */
export function encoderOf(env: Env): EncoderRpc {
  if (env.ENCODER === undefined) throw new FoveaError("not_configured", "This deployment has no encoder.");
  return env.ENCODER as unknown as EncoderRpc;
}
