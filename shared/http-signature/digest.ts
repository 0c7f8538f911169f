import { FoveaError } from "../errors/error.ts";

/** `Content-Digest` of a body (RFC 9530, section 2): `sha-256=:<base64>:`. */
export async function contentDigest(body: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  return `sha-256=:${btoa(String.fromCharCode(...digest))}:`;
}

/**
 * Checks a body that has arrived against the digest that its signature covers.
 * @throws FoveaError `invalid_signature` when they differ
 */
export async function checkContentDigest(headers: Headers, body: Uint8Array<ArrayBuffer>): Promise<void> {
  if (headers.get("content-digest") !== (await contentDigest(body))) {
    throw new FoveaError("invalid_signature", "The body does not match its content-digest.");
  }
}
