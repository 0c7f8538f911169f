import { createHash } from "node:crypto";
import { importPublicKey, type SigningKey } from "../../shared/releases/ecdsa.ts";
import { manifestKey, signatureKey } from "../../shared/releases/keys.ts";
import { signRelease, verifyReleaseSignature } from "../../shared/releases/model-signing.ts";
import { serializeRelease, type Release } from "../../shared/releases/release.ts";
import { StoreError, type ObjectStore } from "../store/object-store.ts";
import { hashRelease } from "./hash-release.ts";
import { planRelease, type PlannedRelease, type PlanOptions } from "./plan-release.ts";
import { PublishError } from "./publish-error.ts";
import { settle } from "./renew.ts";
import { uploadShards, type PublishProgress } from "./upload-shards.ts";

export interface PublishOptions extends PlanOptions {
  readonly model: string;
  readonly version: string;
  readonly store: ObjectStore;
  /** Signs the release (`model.sig`); absent only for the local stage. */
  readonly key?: SigningKey | null;
  /** What `hashRelease` made of the same files, so that they are read once. */
  readonly files?: Release["files"] | undefined;
  readonly onProgress?: (progress: PublishProgress) => void;
  readonly signal?: AbortSignal;
  /** Waits for the deletes that a `gc` has begun; GC_SETTLE_MS unless told. */
  readonly settle?: () => Promise<void>;
}

export interface PublishResult {
  readonly release: Release;
  /** sha256 of the manifest. */
  readonly digest: string;
  readonly totalBytes: number;
  readonly uploadedShards: number;
  readonly uploadedBytes: number;
  /** False when exactly this release was there already. */
  readonly created: boolean;
}

/**
 * Publishes the model in `dir` as `model@version`: shards first, those that the store lacks; the manifest last, create-only,
 * so a kill at any point leaves shards that nobody names and the next run goes on with what is missing. Publishing the same
 * again changes nothing; other content under a taken version throws PublishError.
 */
export async function publishRelease(dir: string, options: PublishOptions): Promise<PublishResult> {
  const planned = await planRelease(dir, options);
  return publishPlanned(planned, options);
}

export async function publishPlanned(planned: PlannedRelease, options: PublishOptions): Promise<PublishResult> {
  const { store, model, version, onProgress } = options;
  const totalBytes = planned.files.reduce((sum, file) => sum + file.size, 0);
  const release = await hashRelease(planned, {
    model,
    version,
    files: options.files,
    onHashed: (done, total) => {
      options.signal?.throwIfAborted();
      onProgress?.({ phase: "hash", doneBytes: done, totalBytes: total });
    },
  });
  const manifest = serializeRelease(release);
  const digest = createHash("sha256").update(manifest).digest("hex");
  const key = manifestKey(model, version);
  const existing = await store.get(key);
  if (existing !== null) {
    if (!Buffer.from(existing).equals(manifest)) {
      throw new PublishError(
        `${model}@${version} is published with other content; a release never changes, choose a new version`,
      );
    }
  }
  const { renewedShards, ...uploaded } = await uploadShards(planned.files, release, options);
  await writeSignature(store, release, digest, options.key ?? null);
  const created = existing === null && (await createManifest(store, key, manifest));
  if (renewedShards > 0) await (options.settle ?? settle)();
  // A `gc` beside this publish may have taken a shard that was there when this one looked; now it is named, so it stays.
  await uploadShards(planned.files, release, { ...options, onProgress: () => undefined });
  return { release, digest, totalBytes, ...uploaded, created };
}

/**
 * Before the manifest, so that a manifest never lacks its signature. Written again when the present one is by another key
 * or over other content: that is how a release is signed anew after a key rotation.
 */
async function writeSignature(
  store: ObjectStore,
  release: Release,
  digest: string,
  key: SigningKey | null,
): Promise<void> {
  if (key === null) return;
  const objectKey = signatureKey(release.name, release.version);
  const present = await store.get(objectKey);
  if (present !== null) {
    const trust = [await importPublicKey(key.publicPem)];
    const valid = await verifyReleaseSignature(present, release, digest, trust).then(
      () => true,
      () => false,
    );
    if (valid) return;
  }
  await store.put(objectKey, await signRelease(release, digest, key));
}

/** Two publishers may race; the loser is fine when both wrote the same. */
async function createManifest(store: ObjectStore, key: string, manifest: Uint8Array): Promise<boolean> {
  try {
    await store.put(key, manifest, { ifNoneMatch: "*" });
    return true;
  } catch (thrown) {
    if (!(thrown instanceof StoreError) || thrown.fault !== "precondition_failed") throw thrown;
    const winner = await store.get(key);
    if (winner !== null && Buffer.from(winner).equals(manifest)) return false;
    throw new PublishError(`someone else published other content under this version just now`, { cause: thrown });
  }
}
