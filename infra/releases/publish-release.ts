import { createHash } from "node:crypto";
import type { SigningKey } from "../../shared/releases/ecdsa.ts";
import { manifestKey } from "../../shared/releases/keys.ts";
import { serializeRelease, type Release } from "../../shared/releases/release.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { hashRelease } from "./hash-release.ts";
import { planRelease, type PlannedRelease, type PlanOptions } from "./plan-release.ts";
import { PublishError } from "./publish-error.ts";
import { settle } from "./renew.ts";
import { uploadShards, type PublishProgress } from "./upload-shards.ts";
import { writeManifest, writeSignature } from "./write-documents.ts";

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
  const existing = await store.get(manifestKey(model, version));
  if (existing !== null && !Buffer.from(existing).equals(manifest)) {
    throw new PublishError(
      `${model}@${version} is published with other content; a release never changes, choose a new version`,
    );
  }
  const writeAll = async (quiet = false) => {
    const upload = quiet ? { ...options, onProgress: undefined } : options;
    const { renewedShards, ...uploaded } = await uploadShards(planned.files, release, upload);
    const signature = await writeSignature(store, release, digest, options.key ?? null);
    const written = await writeManifest(store, release, manifest);
    const renewed = renewedShards > 0 || signature === "renewed" || written === "renewed";
    return { uploaded, created: written === "created", renewed };
  };
  const { uploaded, created, renewed } = await writeAll();
  if (renewed) await (options.settle ?? settle)();
  // A `gc` beside this publish may have taken what was there when this one looked; now it is named, so it stays.
  await writeAll(true);
  return { release, digest, totalBytes, ...uploaded, created };
}
