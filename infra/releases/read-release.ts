import { createHash } from "node:crypto";
import { MAX_MANIFEST_BYTES } from "../../shared/limits/limits.ts";
import { UPLOADS_IN_FLIGHT } from "../../shared/limits/releases.ts";
import { canonicalJson, type JsonValue } from "../../shared/releases/canonical-json.ts";
import { blobKey, manifestKey } from "../../shared/releases/keys.ts";
import { parseRelease, type Release, type Shard } from "../../shared/releases/release.ts";
import { Semaphore } from "../../shared/releases/semaphore.ts";
import type { ObjectStore } from "../store/object-store.ts";

export class ReleaseNotFound extends Error {
  override readonly name = "ReleaseNotFound";
}

/** A published release and its digest. Throws ReleaseNotFound, or ReleaseError when the manifest is broken. */
export async function readRelease(
  store: ObjectStore,
  model: string,
  version: string,
): Promise<{ readonly release: Release; readonly digest: string; readonly manifest: Uint8Array }> {
  const manifest = await store.get(manifestKey(model, version), {
    range: { offset: 0, length: MAX_MANIFEST_BYTES + 1 },
  });
  if (manifest === null)
    throw new ReleaseNotFound(`${model}@${version} is not published in ${store.url}; see \`fovea list\``);
  return { release: parseRelease(manifest), digest: createHash("sha256").update(manifest).digest("hex"), manifest };
}

/**
 * The stages of a release that was published under this version and differs at most in what was measured, memory and
 * placement; null when there is none. A publish of the same takes them over, so that it changes nothing.
 */
export async function publishedStages(
  store: ObjectStore,
  { name, version, ...planned }: Pick<Release, "name" | "version" | "files" | "stages">,
): Promise<Release["stages"] | null> {
  try {
    const { release } = await readRelease(store, name, version);
    return unmeasured(release) === unmeasured(planned) ? release.stages : null;
  } catch (error) {
    if (error instanceof ReleaseNotFound) return null;
    throw error;
  }
}

function unmeasured({ files, stages }: Pick<Release, "files" | "stages">): string {
  const bare: Record<string, JsonValue> = {};
  for (const [name, stage] of Object.entries(stages)) bare[name] = { ...stage, placement: "", memoryBytes: 0 };
  return canonicalJson({ files, stages: bare });
}

/** `model@version` as commands take it. */
export function parseReleaseName(text: string): { readonly model: string; readonly version: string } {
  const at = text.lastIndexOf("@");
  if (at < 1 || at === text.length - 1) throw new ReleaseNotFound(`${text} is no release: write model@version`);
  return { model: text.slice(0, at), version: text.slice(at + 1) };
}

/** Every shard of a release once, with a file that has it. */
export function distinctShards(release: Release): ReadonlyMap<string, Shard & { readonly file: string }> {
  const shards = new Map<string, Shard & { readonly file: string }>();
  for (const [file, { shards: parts }] of Object.entries(release.files)) {
    for (const { sha256, size } of parts) shards.set(sha256, { sha256, size, file });
  }
  return shards;
}

/** Shards that the store lacks, or has in another length. Asks only for their heads. */
export async function missingShards(
  store: ObjectStore,
  release: Release,
): Promise<readonly (Shard & { readonly file: string })[]> {
  const inFlight = new Semaphore(UPLOADS_IN_FLIGHT);
  const found = await Promise.all(
    [...distinctShards(release).values()].map((shard) =>
      inFlight.run(async () => ((await store.head(blobKey(shard.sha256)))?.size === shard.size ? null : shard)),
    ),
  );
  return found.filter((shard) => shard !== null);
}
