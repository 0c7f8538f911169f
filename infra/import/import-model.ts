import type { Trust } from "../../shared/releases/dsse.ts";
import type { SigningKey } from "../../shared/releases/ecdsa.ts";
import { releaseDigest } from "../../shared/releases/release.ts";
import { LOCAL_CHANNEL } from "../local/publish-builtin.ts";
import { promoteRelease, readChannel } from "../releases/promote-release.ts";
import { publishPlanned, type PublishResult } from "../releases/publish-release.ts";
import { publishedStages } from "../releases/read-release.ts";
import type { PublishProgress } from "../releases/upload-shards.ts";
import type { ObjectStore } from "../store/object-store.ts";
import type { ModelSource } from "./model-source.ts";
import { checkModel, placeModel, type PlacedModel, type PlaceOptions } from "./place-model.ts";

export interface ImportOptions extends PlaceOptions {
  readonly model: string;
  /** Absent: named by the content, so that importing the same again changes nothing. */
  readonly version?: string | undefined;
  readonly store: ObjectStore;
  readonly key: SigningKey | null;
  readonly trust: Trust;
  readonly onProgress?: (progress: PublishProgress) => void;
  readonly signal?: AbortSignal;
}

export interface Imported extends PublishResult, PlacedModel {
  readonly from: string;
  readonly version: string;
}

/**
 * A model in the hub's layout -> a release that is served: checked, measured and placed, published, promoted to the local
 * channel.
 * @throws ImportError with every stage, file or key that stands in the way; HubError, HubFolderError, ReleaseError, PublishError
 */
export async function importModel(source: ModelSource, options: ImportOptions): Promise<Imported> {
  const { model, store, key, trust, onProgress, signal } = options;
  const checked = await checkModel(source, options, model);
  const version = options.version ?? `import-${(await releaseDigest(checked.unnamed)).slice(0, 12)}`;
  const placed = await placeModel(checked, options, await publishedStages(store, { ...checked.unnamed, version }));
  const result = await publishPlanned(placed.planned, {
    model,
    version,
    files: checked.unnamed.files,
    store,
    key,
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  });
  const current = await readChannel(store, model, LOCAL_CHANNEL, trust);
  if (current?.stable.digest !== result.digest) {
    await promoteRelease({ model, version, channel: LOCAL_CHANNEL, store, key, trust });
  }
  return { ...placed, ...result, from: source.from, version };
}
