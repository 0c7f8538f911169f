import { fromBase64, toBase64 } from "./base64.ts";
import { toHex } from "./digest.ts";

/**
 * ECDSA, keys and signatures in the forms that OpenSSL and Sigstore use: PEM and DER. Web Crypto wants raw r || s
 * (IEEE P1363) instead, so both are converted here. Fovea signs with P-256; it verifies the three curves that OpenSSF Model
 * Signing names.
 */

const P256_KEY = { name: "ECDSA", namedCurve: "P-256" };

interface Curve {
  readonly name: string;
  /** The hash that goes with the curve. */
  readonly hash: string;
  readonly coordinateBytes: number;
}

const P256: Curve = { name: "P-256", hash: "SHA-256", coordinateBytes: 32 };
const CURVES: readonly Curve[] = [
  P256,
  { name: "P-384", hash: "SHA-384", coordinateBytes: 48 },
  { name: "P-521", hash: "SHA-512", coordinateBytes: 66 },
];

export interface TrustedKey {
  /** sha256 of the SubjectPublicKeyInfo in DER: which key a signature says it is by. */
  readonly keyId: string;
  readonly key: CryptoKey;
  readonly curve: Curve;
}

export interface SigningKey {
  readonly key: CryptoKey;
  readonly publicPem: string;
  readonly keyId: string;
}

/** Throws a TypeError when the text is no public key in PEM (`BEGIN PUBLIC KEY`) on one of the curves. */
export async function importPublicKey(pem: string): Promise<TrustedKey> {
  const der = fromPem(pem, "PUBLIC KEY");
  for (const curve of CURVES) {
    const algorithm = { name: "ECDSA", namedCurve: curve.name };
    const key = await crypto.subtle.importKey("spki", der, algorithm, true, ["verify"]).catch(() => null);
    if (key !== null) return { keyId: await keyIdOf(der), key, curve };
  }
  throw new TypeError("not a public key on P-256, P-384 or P-521");
}

/** A private key in PKCS #8 PEM (`BEGIN PRIVATE KEY`). Throws a TypeError for another form or curve. */
export async function importPrivateKey(pem: string): Promise<SigningKey> {
  try {
    const key = await crypto.subtle.importKey("pkcs8", fromPem(pem, "PRIVATE KEY"), P256_KEY, true, ["sign"]);
    // The public half is part of the JWK form; Web Crypto has no other way from a private key to its public key.
    const jwk = publicJwk(await crypto.subtle.exportKey("jwk", key));
    const publicKey = await crypto.subtle.importKey("jwk", jwk, P256_KEY, true, ["verify"]);
    return await signingKey(key, publicKey);
  } catch (cause) {
    throw new TypeError("not a P-256 private key in PKCS #8", { cause });
  }
}

/** A new key pair; the private half in PKCS #8 PEM. */
export async function generateKeyPair(): Promise<SigningKey & { readonly privatePem: string }> {
  const pair = await crypto.subtle.generateKey(P256_KEY, true, ["sign", "verify"]);
  if (!("privateKey" in pair)) throw new TypeError("no key pair was made");
  const pkcs8 = exportedBytes(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  return { ...(await signingKey(pair.privateKey, pair.publicKey)), privatePem: toPem(pkcs8, "PRIVATE KEY") };
}

/** The signature in DER, as OpenSSL writes it. */
export async function sign(key: SigningKey, message: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const raw = await crypto.subtle.sign({ name: "ECDSA", hash: P256.hash }, key.key, message as Uint8Array<ArrayBuffer>);
  return rawToDer(new Uint8Array(raw));
}

/** False for a wrong signature and for one that is not DER at all. */
export async function verify(trusted: TrustedKey, der: Uint8Array, message: Uint8Array): Promise<boolean> {
  const { curve, key } = trusted;
  const raw = derToRaw(der, curve.coordinateBytes);
  const algorithm = { name: "ECDSA", hash: curve.hash };
  return raw !== null && (await crypto.subtle.verify(algorithm, key, raw, message as Uint8Array<ArrayBuffer>));
}

/** SEQUENCE { r INTEGER, s INTEGER } (RFC 3279 2.2.3) to r || s; null when it is not exactly that, minimally coded. */
export function derToRaw(der: Uint8Array, coordinateBytes = P256.coordinateBytes): Uint8Array<ArrayBuffer> | null {
  if (der[0] !== 0x30) return null;
  // From 128 bytes on (P-521) the length takes a second byte.
  const head = der[1] === 0x81 && (der[2] ?? 0) >= 0x80 ? 3 : 2;
  if (der[head - 1] !== der.length - head) return null;
  const raw = new Uint8Array(2 * coordinateBytes);
  let at = head;
  for (const end of [coordinateBytes, 2 * coordinateBytes]) {
    const length = der[at + 1] ?? 0;
    const integer = der.subarray(at + 2, at + 2 + length);
    if (der[at] !== 0x02 || length === 0 || integer.length !== length) return null;
    const first = integer[0] ?? 0;
    // Negative, or a zero in front that no sign bit asks for: another spelling of a number, refused.
    if (first >= 0x80 || (first === 0 && length > 1 && (integer[1] ?? 0) < 0x80)) return null;
    const digits = first === 0 ? integer.subarray(1) : integer;
    if (digits.length > coordinateBytes) return null;
    raw.set(digits, end - digits.length);
    at += 2 + length;
  }
  return at === der.length ? raw : null;
}

/** r || s of P-256 to DER. */
export function rawToDer(raw: Uint8Array): Uint8Array<ArrayBuffer> {
  const body: number[] = [];
  for (const start of [0, P256.coordinateBytes]) {
    const digits = [...raw.subarray(start, start + P256.coordinateBytes)];
    while (digits.length > 1 && digits[0] === 0) digits.shift();
    if ((digits[0] ?? 0) >= 0x80) digits.unshift(0);
    body.push(0x02, digits.length, ...digits);
  }
  return new Uint8Array([0x30, body.length, ...body]);
}

async function signingKey(key: CryptoKey, publicKey: CryptoKey): Promise<SigningKey> {
  const spki = exportedBytes(await crypto.subtle.exportKey("spki", publicKey));
  return { key, publicPem: toPem(spki, "PUBLIC KEY"), keyId: await keyIdOf(spki) };
}

/** The runtimes' types disagree on what `exportKey` gives; its format decides. */
function exportedBytes(exported: unknown): Uint8Array<ArrayBuffer> {
  if (exported instanceof ArrayBuffer) return new Uint8Array(exported);
  throw new TypeError("the key cannot be exported");
}

function publicJwk(exported: unknown): { kty: string; crv: string; x: string; y: string } {
  if (typeof exported !== "object" || exported === null || !("x" in exported) || !("y" in exported)) {
    throw new TypeError("the key cannot be exported");
  }
  return { kty: "EC", crv: "P-256", x: String(exported.x), y: String(exported.y) };
}

async function keyIdOf(spki: Uint8Array<ArrayBuffer>): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", spki)));
}

function fromPem(pem: string, label: string): Uint8Array<ArrayBuffer> {
  const match = new RegExp(`^-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]{1,4000})-----END ${label}-----$`).exec(
    pem.trim(),
  );
  if (match === null) throw new TypeError(`not a PEM of a ${label}`);
  return fromBase64((match[1] ?? "").replaceAll(/\s/g, ""));
}

function toPem(der: Uint8Array, label: string): string {
  const lines = toBase64(der).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
