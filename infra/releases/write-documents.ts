import { importPublicKey, type SigningKey } from "../../shared/releases/ecdsa.ts";
import { manifestKey, signatureKey } from "../../shared/releases/keys.ts";
import { signRelease, verifyReleaseSignature } from "../../shared/releases/model-signing.ts";
import type { Release } from "../../shared/releases/release.ts";
import { StoreError, type ObjectStore } from "../store/object-store.ts";
import { PublishError } from "./publish-error.ts";
import { renew } from "./renew.ts";

/** Whether a document was missing, was there and old and is young now, or may stay as it is. */
type Written = "created" | "renewed" | "there";

/**
 * Before the manifest, so that a manifest never lacks its signature. Written again when the present one is by another key
 * or over other content: that is how a release is signed anew after a key rotation.
 */
export async function writeSignature(
  store: ObjectStore,
  release: Release,
  digest: string,
  key: SigningKey | null,
): Promise<Written> {
  if (key === null) return "there";
  const objectKey = signatureKey(release.name, release.version);
  const present = await store.get(objectKey);
  if (present !== null) {
    const trust = [await importPublicKey(key.publicPem)];
    const valid = await verifyReleaseSignature(present, release, digest, trust).then(
      () => true,
      () => false,
    );
    if (valid) return (await renew(store, objectKey)) ? "renewed" : "there";
  }
  await store.put(objectKey, await signRelease(release, digest, key));
  return "created";
}

/** Two publishers may race; the loser is fine when both wrote the same. Else throws PublishError. */
export async function writeManifest(store: ObjectStore, release: Release, manifest: Uint8Array): Promise<Written> {
  const key = manifestKey(release.name, release.version);
  try {
    await store.put(key, manifest, { ifNoneMatch: "*" });
    return "created";
  } catch (thrown) {
    if (!(thrown instanceof StoreError) || thrown.fault !== "precondition_failed") throw thrown;
    const present = await store.get(key);
    if (present !== null && Buffer.from(present).equals(manifest))
      return (await renew(store, key)) ? "renewed" : "there";
    throw new PublishError(`someone else published other content under this version just now`, { cause: thrown });
  }
}
