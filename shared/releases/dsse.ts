import * as z from "zod";
import { fromBase64, toBase64 } from "./base64.ts";
import { sign, verify, type SigningKey, type TrustedKey } from "./ecdsa.ts";
import { ReleaseError } from "./error.ts";

/**
 * DSSE: Dead Simple Signing Envelope, https://github.com/secure-systems-lab/dsse/blob/v1.0.0/envelope.md.
 * What is signed is the payload and its type together, so one kind of document never passes for another.
 */
const envelopeSchema = z
  .object({
    payloadType: z.string().min(1).max(200),
    payload: z.string(),
    signatures: z
      .array(z.object({ sig: z.string().max(200), keyid: z.string().max(200).nullish() }).readonly())
      .max(8)
      .readonly(),
  })
  .readonly();

export type Envelope = z.infer<typeof envelopeSchema>;

/**
 * Whose signatures count. `"unsigned"` takes any document as it is and belongs to the local stage and to tests only; two
 * keys are the state of a key rotation.
 */
export type Trust = readonly TrustedKey[] | "unsigned";

/** Pre-authentication encoding: `DSSEv1 LEN(type) type LEN(body) body`. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const head = encoder.encode(`DSSEv1 ${encoder.encode(payloadType).length} ${payloadType} ${payload.length} `);
  const message = new Uint8Array(head.length + payload.length);
  message.set(head);
  message.set(payload, head.length);
  return message;
}

/** An envelope around the payload; without a key it holds no signature, which only `"unsigned"` trust accepts. */
export async function seal(payloadType: string, payload: Uint8Array, key: SigningKey | null): Promise<Envelope> {
  const signatures =
    key === null ? [] : [{ keyid: key.keyId, sig: toBase64(await sign(key, preAuthEncoding(payloadType, payload))) }];
  return { payloadType, payload: toBase64(payload), signatures };
}

/**
 * The payload of an envelope that one of the trusted keys signed. Key ids in an envelope are hints that anyone can write,
 * so every signature is tried with every trusted key; both are few.
 * Throws ReleaseError (`signature_malformed`, `signature_missing`, `signature_untrusted`).
 */
export async function open(envelope: Envelope, payloadType: string, trust: Trust): Promise<Uint8Array<ArrayBuffer>> {
  if (envelope.payloadType !== payloadType) {
    throw new ReleaseError("signature_malformed", `the envelope holds another type than ${payloadType}`);
  }
  const payload = decode(envelope.payload);
  if (trust === "unsigned") return payload;
  if (envelope.signatures.length === 0) throw new ReleaseError("signature_missing", "the document is not signed");
  const message = preAuthEncoding(payloadType, payload);
  for (const { sig } of envelope.signatures) {
    const der = decode(sig);
    for (const key of trust) if (await verify(key, der, message)) return payload;
  }
  throw new ReleaseError("signature_untrusted", "no signature of the document is by a trusted key over these bytes");
}

/** Throws ReleaseError `signature_malformed`. */
export function parseEnvelope(json: unknown): Envelope {
  const parsed = envelopeSchema.safeParse(json);
  if (!parsed.success) throw new ReleaseError("signature_malformed", "not a DSSE envelope");
  return parsed.data;
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  try {
    return fromBase64(base64);
  } catch (cause) {
    throw new ReleaseError("signature_malformed", "the envelope holds something that is not base64", { cause });
  }
}
