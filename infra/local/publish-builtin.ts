import { readChannel, promoteRelease } from "../releases/promote-release.ts";
import { hashRelease } from "../releases/hash-release.ts";
import { planRelease } from "../releases/plan-release.ts";
import { publishPlanned } from "../releases/publish-release.ts";
import type { PublishProgress } from "../releases/upload-shards.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { releaseDigest } from "../../shared/releases/release.ts";
import { BUILTIN_DIR, BUILTIN_MODEL } from "./builtin.ts";

export const LOCAL_CHANNEL = "local";

/** Versions that `npm start` made; any other on the channel was put there by the user, and stays. */
const BUILTIN_VERSION = /^builtin-[0-9a-f]{12}$/;

/**
 * Publishes the built-in model into the local store as any model is published, and promotes it. Its version is its
 * content, so that a changed file or compiler makes a new release and an unchanged one costs a hash of its files.
 */
export async function publishBuiltin(
  store: ObjectStore,
  onProgress?: (progress: PublishProgress) => void,
): Promise<string> {
  const planned = await planRelease(BUILTIN_DIR);
  const unnamed = await hashRelease(planned, { model: BUILTIN_MODEL, version: "builtin" });
  const version = `builtin-${(await releaseDigest(unnamed)).slice(0, 12)}`;
  const current = await readChannel(store, BUILTIN_MODEL, LOCAL_CHANNEL, "unsigned");
  if (current?.stable.version === version) return version;
  await publishPlanned(planned, {
    model: BUILTIN_MODEL,
    version,
    files: unnamed.files,
    store,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  if (current === null || BUILTIN_VERSION.test(current.stable.version)) {
    await promoteRelease({
      model: BUILTIN_MODEL,
      version,
      channel: LOCAL_CHANNEL,
      store,
      key: null,
      trust: "unsigned",
    });
  }
  return version;
}
