import * as z from "zod";
import { MAX_RELEASE_FILES, MAX_SIGNATURE_BYTES } from "../limits/releases.ts";
import { canonicalBytes } from "./canonical-json.ts";
import { sha256Hex, type Sha256 } from "./digest.ts";
import { open, parseEnvelope, seal, type Trust } from "./dsse.ts";
import type { SigningKey } from "./ecdsa.ts";
import { ReleaseError } from "./error.ts";
import { RELEASE_DOCUMENT } from "./keys.ts";
import type { Release } from "./schema.ts";
import { sha256Schema } from "./schema.ts";

/**
 * OpenSSF Model Signing 1.0, key method (https://github.com/ossf/model-signing-spec): a Sigstore bundle with a DSSE envelope
 * around an in-toto statement that lists every file of the model by sha256. A release on disk (its files, and the manifest
 * as `release.json`) verifies with the reference tool: `model_signing verify key --public_key key.pub DIR`.
 */
const BUNDLE_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";
const PAYLOAD_TYPE = "application/vnd.in-toto+json";
const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE = "https://model_signing/signature/v1.0";
/** What the reference tool leaves out of a folder; `model.sig` is the signature itself. */
const IGNORED = [".git", ".gitattributes", ".github", ".gitignore", "model.sig"];

const bundleSchema = z.object({
  mediaType: z.literal(BUNDLE_MEDIA_TYPE),
  // A key signature has a public key's hint; certificates are another method, which no key here could vouch for.
  verificationMaterial: z.object({
    publicKey: z.object({ hint: z.string().max(200).nullish() }),
    certificate: z.undefined().optional(),
    x509CertificateChain: z.undefined().optional(),
  }),
  dsseEnvelope: z.unknown(),
});

const resourceSchema = z.object({
  name: z.string().min(1).max(1024),
  algorithm: z.literal("sha256"),
  digest: sha256Schema,
});

const statementSchema = z.object({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.array(z.object({ name: z.string().max(1024), digest: z.object({ sha256: sha256Schema }) })).length(1),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: z.object({
    serialization: z.object({
      method: z.literal("files"),
      hash_type: z.literal("sha256"),
      allow_symlinks: z.boolean(),
      // Only shards have a size; with files it would say that something else was signed.
      shard_size: z.undefined().optional(),
    }),
    resources: z
      .array(resourceSchema)
      .min(1)
      .max(MAX_RELEASE_FILES + 1),
  }),
});

/** File name -> sha256, as it was signed. */
export type SignedFiles = ReadonlyMap<string, Sha256>;

/** The bundle to store beside the manifest (`model.sig`). */
export async function signRelease(release: Release, digest: Sha256, key: SigningKey): Promise<Uint8Array<ArrayBuffer>> {
  const resources = [...filesToSign(release, digest)]
    // By Unicode code points, as the specification orders them; our names are ASCII, where that is the plain order.
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, sha256]) => ({ name, algorithm: "sha256", digest: sha256 }));
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [{ name: release.name, digest: { sha256: await rootDigest(resources) } }],
    predicateType: PREDICATE_TYPE,
    predicate: {
      serialization: { method: "files", hash_type: "sha256", allow_symlinks: false, ignore_paths: IGNORED },
      resources,
    },
  };
  const envelope = await seal(PAYLOAD_TYPE, canonicalBytes(statement), key);
  // The reference tool reads a key id only from the hint, which is over the PEM text; in the envelope it wants an empty one.
  const hint = await sha256Hex(new TextEncoder().encode(key.publicPem));
  const dsseEnvelope = { ...envelope, signatures: envelope.signatures.map(({ sig }) => ({ sig, keyid: "" })) };
  return canonicalBytes({
    mediaType: BUNDLE_MEDIA_TYPE,
    verificationMaterial: { publicKey: { hint }, tlogEntries: [] },
    dsseEnvelope,
  });
}

/**
 * Opens a bundle and gives the files it signs. Throws ReleaseError: `signature_too_large`, `signature_malformed` (another
 * bundle, payload, statement or predicate type, no resources, a root digest that does not fit), `signature_missing`,
 * `signature_untrusted`.
 */
export async function openModelSignature(bytes: Uint8Array, trust: Trust): Promise<SignedFiles> {
  if (bytes.byteLength > MAX_SIGNATURE_BYTES) {
    throw new ReleaseError("signature_too_large", `the signature has ${bytes.byteLength} bytes`);
  }
  const bundle = parse(bundleSchema, bytes, "Sigstore bundle of the key method");
  const payload = await open(parseEnvelope(bundle.dsseEnvelope), PAYLOAD_TYPE, trust);
  const { subject, predicate } = parse(statementSchema, payload, "statement of OpenSSF Model Signing 1.0");
  const files = new Map(predicate.resources.map(({ name, digest }) => [name, digest]));
  if (files.size !== predicate.resources.length) {
    throw new ReleaseError("signature_malformed", "the signature names one file twice");
  }
  if (subject[0]?.digest.sha256 !== (await rootDigest(predicate.resources))) {
    throw new ReleaseError("signature_malformed", "the root digest of the signature does not fit its files");
  }
  return files;
}

/** That a bundle signs exactly this release: its manifest and every file, no more. Throws ReleaseError. */
export async function verifyReleaseSignature(
  bytes: Uint8Array,
  release: Release,
  digest: Sha256,
  trust: Trust,
): Promise<void> {
  const signed = await openModelSignature(bytes, trust);
  const expected = filesToSign(release, digest);
  for (const [name, sha256] of expected) {
    if (signed.get(name) !== sha256)
      throw new ReleaseError("signature_mismatch", `the signature is not over this ${name}`);
  }
  const extra = [...signed.keys()].find((name) => !expected.has(name));
  if (extra !== undefined)
    throw new ReleaseError("signature_mismatch", `the signature is also over ${extra.slice(0, 80)}`);
}

function filesToSign(release: Release, digest: Sha256): SignedFiles {
  const files = new Map(Object.entries(release.files).map(([name, { sha256 }]) => [name, sha256]));
  return files.set(RELEASE_DOCUMENT, digest);
}

/** sha256 over the raw digests of all resources, in their order. */
async function rootDigest(resources: readonly { readonly digest: Sha256 }[]): Promise<Sha256> {
  const raw = new Uint8Array(resources.length * 32);
  for (const [index, { digest }] of resources.entries()) {
    for (let i = 0; i < 32; i += 1) raw[index * 32 + i] = Number.parseInt(digest.slice(2 * i, 2 * i + 2), 16);
  }
  return sha256Hex(raw);
}

function parse<T>(schema: z.ZodType<T>, bytes: Uint8Array, what: string): T {
  try {
    return schema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)));
  } catch (cause) {
    throw new ReleaseError("signature_malformed", `not a ${what}`, { cause });
  }
}
