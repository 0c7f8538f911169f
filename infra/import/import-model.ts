import type { Trust } from "../../shared/releases/dsse.ts";
import type { SigningKey } from "../../shared/releases/ecdsa.ts";
import { releaseDigest } from "../../shared/releases/release.ts";
import { LOCAL_CHANNEL } from "../local/publish-builtin.ts";
import { hashRelease } from "../releases/hash-release.ts";
import { readHubFolder } from "../releases/hub-folder.ts";
import { planRelease, type PlannedRelease } from "../releases/plan-release.ts";
import { promoteRelease, readChannel } from "../releases/promote-release.ts";
import { publishPlanned, type PublishProgress, type PublishResult } from "../releases/publish-release.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { checkFiles, checkGraphs, ImportError } from "./check-model.ts";
import type { ModelSource } from "./model-source.ts";
import { planPicture, type PicturePlan } from "./plan.ts";

export interface ImportOptions {
  readonly model: string;
  /** Absent: named by the content, so that importing the same again changes nothing. */
  readonly version?: string | undefined;
  readonly store: ObjectStore;
  readonly dtype?: string | undefined;
  readonly place: "auto" | "edge" | "origin";
  readonly key: SigningKey | null;
  readonly trust: Trust;
  readonly onProgress?: (progress: PublishProgress) => void;
  readonly signal?: AbortSignal;
}

export interface Imported extends PublishResult {
  readonly from: string;
  readonly version: string;
  readonly picture: PicturePlan | null;
}

/**
 * A model in the hub's layout -> a release that is served: checked, placed, published, promoted to the local channel.
 * @throws ImportError with every stage, file or key that stands in the way; HubError, HubFolderError, ReleaseError, PublishError
 */
export async function importModel(source: ModelSource, options: ImportOptions): Promise<Imported> {
  const { model, store, key, trust } = options;
  const dir = await source.configuration();
  const folder = await readHubFolder(dir);
  const wrong = await checkFiles(folder);
  if (wrong.length > 0) throw new ImportError(wrong);
  await source.weights(options.dtype);
  const found = await planRelease(dir, {
    ...(options.dtype === undefined ? {} : { dtype: options.dtype }),
    encoder: options.place === "edge" ? "edge" : "auto",
  });
  const obstacles = checkGraphs(found);
  if (obstacles.length > 0) throw new ImportError(obstacles);
  const planned = options.place === "origin" ? atOrigin(found) : found;
  const version = options.version ?? (await contentVersion(planned, model));
  const result = await publishPlanned(planned, {
    model,
    version,
    store,
    key,
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const current = await readChannel(store, model, LOCAL_CHANNEL, trust);
  if (current?.stable.digest !== result.digest) {
    await promoteRelease({ model, version, channel: LOCAL_CHANNEL, store, key, trust });
  }
  return { ...result, from: source.from, version, picture: await planPicture(folder, planned) };
}

function atOrigin(planned: PlannedRelease): PlannedRelease {
  const { vision_encoder, ...rest } = planned.stages;
  if (vision_encoder === undefined) return planned;
  return { ...planned, stages: { ...rest, vision_encoder: { ...vision_encoder, placement: "origin" } } };
}

async function contentVersion(planned: PlannedRelease, model: string): Promise<string> {
  const unnamed = await hashRelease(planned, { model, version: "import" });
  return `import-${(await releaseDigest(unnamed)).slice(0, 12)}`;
}
