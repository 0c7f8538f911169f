import { appendSignature, createSignature } from "http-message-sig";
import { contentDigest } from "./digest.ts";
import { SIGNATURE_ALGORITHM, type SigningKey } from "./keys.ts";

/** What every signature of the edge-origin hop covers. The body is covered through its digest. */
export const SIGNED_COMPONENTS = [
  "@method",
  "@authority",
  "@path",
  "@query",
  "content-type",
  "content-digest",
] as const;

export interface UnsignedRequest {
  readonly method: string;
  readonly url: string;
  readonly contentType: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** The headers that make a request a signed one (RFC 9421, hmac-sha256): type, digest, signature-input, signature. */
export async function signedHeaders(request: UnsignedRequest, key: SigningKey): Promise<Headers> {
  const headers = new Headers({
    "content-type": request.contentType,
    "content-digest": await contentDigest(request.body),
  });
  const fields = [...headers].map(([name, value]) => ({ name, value }));
  const signature = await createSignature(
    { kind: "request", method: request.method, targetUri: request.url, fields },
    {
      components: SIGNED_COMPONENTS,
      parameters: {
        created: Math.floor(Date.now() / 1000),
        nonce: crypto.randomUUID(),
        keyid: key.keyid,
        alg: SIGNATURE_ALGORITHM,
      },
      signer: key.signer,
    },
  );
  return appendSignature(headers, signature);
}
