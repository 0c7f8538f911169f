import type { Signer, Verifier } from "http-message-sig";

/** The only algorithm of the edge-origin hop (RFC 9421, section 3.3.3). */
export const SIGNATURE_ALGORITHM = "hmac-sha256";

/** 32 bytes is the width of the hash; RFC 2104 advises against shorter keys. */
const MIN_SECRET_BYTES = 32;

/** A shared secret with its name, so that two can be active while one is being replaced. */
export interface SigningKey {
  readonly keyid: string;
  readonly signer: Signer;
  readonly verifier: Verifier;
}

/**
 * Makes a key from its secret.
 * @param secret base64 of at least 32 random bytes
 * @throws Error when the secret is no base64 or too short: a mistake of the operator, found at start
 */
export async function importSigningKey(keyid: string, secret: string): Promise<SigningKey> {
  const bytes = decodeBase64(secret);
  if (bytes.length < MIN_SECRET_BYTES) {
    throw new Error(`Signing key "${keyid}" has ${bytes.length} bytes; make one with: openssl rand -base64 32`);
  }
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
  return { keyid, ...hmac(key) };
}

/** `keyid:base64secret`, several separated by commas; the first signs, all verify. */
export async function importSigningKeys(list: string): Promise<readonly SigningKey[]> {
  const entries = list.split(",").map((entry) => entry.trim());
  return Promise.all(
    entries.map((entry) => {
      const colon = entry.indexOf(":");
      if (colon < 1)
        throw new Error("A signing key is written as keyid:base64secret; several are separated by commas.");
      return importSigningKey(entry.slice(0, colon), entry.slice(colon + 1));
    }),
  );
}

/** Signer and verifier over one HMAC key. Verification compares in constant time (Web Crypto). */
export function hmac(key: CryptoKey): { readonly signer: Signer; readonly verifier: Verifier } {
  return {
    signer: {
      algorithm: SIGNATURE_ALGORITHM,
      sign: async (data) => new Uint8Array(await crypto.subtle.sign("HMAC", key, data.slice())),
    },
    verifier: {
      algorithm: SIGNATURE_ALGORITHM,
      verify: (data, signature) => crypto.subtle.verify("HMAC", key, signature.slice(), data.slice()),
    },
  };
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    throw new Error("A signing secret is base64; make one with: openssl rand -base64 32");
  }
}
