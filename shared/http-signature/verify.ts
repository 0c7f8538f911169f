import { verifySignature } from "http-message-sig";
import { FoveaError } from "../errors/error.ts";
import { SIGNATURE_CLOCK_SKEW_SECONDS, SIGNATURE_WINDOW_SECONDS } from "../limits/limits.ts";
import { SIGNATURE_ALGORITHM, type SigningKey } from "./keys.ts";
import type { NonceCache } from "./nonces.ts";
import { SIGNED_COMPONENTS } from "./sign.ts";

/** A request as its verifier sees it: the URL must be the one that the client addressed, host included. */
export interface SignedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
}

/**
 * Verifies a request from its headers alone, before the body is read; `checkContentDigest` then ties the body to it.
 * A signature is good once: its nonce is remembered for as long as its age would be accepted.
 * @param now unix seconds
 * @throws FoveaError `invalid_signature`, without saying which check failed beyond what the caller could know
 */
export async function verifyRequest(
  request: SignedRequest,
  keys: readonly SigningKey[],
  nonces: NonceCache,
  now = Math.floor(Date.now() / 1000),
): Promise<void> {
  const nonce = await verifiedNonce(request, keys, now).catch((cause: unknown) => {
    throw new FoveaError("invalid_signature", "The request's signature is missing, wrong or too old.", { cause });
  });
  if (!nonces.use(nonce, now)) {
    throw new FoveaError("invalid_signature", "The request's signature was used before.");
  }
}

async function verifiedNonce(request: SignedRequest, keys: readonly SigningKey[], now: number): Promise<string> {
  const fields = [...request.headers].map(([name, value]) => ({ name, value }));
  const verified = await verifySignature(
    { kind: "request", method: request.method, targetUri: request.url, fields },
    {
      policy: {
        algorithms: [SIGNATURE_ALGORITHM],
        requiredComponents: SIGNED_COMPONENTS,
        requiredParameters: ["created", "nonce", "keyid", "alg"],
        maxAge: SIGNATURE_WINDOW_SECONDS - SIGNATURE_CLOCK_SKEW_SECONDS,
        clockSkew: SIGNATURE_CLOCK_SKEW_SECONDS,
        now,
      },
      resolveVerifier: (candidate) => {
        const key = keys.find((known) => known.keyid === candidate.parameters.keyid);
        if (key === undefined) throw new Error("unknown key id");
        return key.verifier;
      },
    },
  );
  const { nonce } = verified.parameters;
  if (nonce === undefined) throw new Error("no nonce");
  return nonce;
}
