import { FoveaError } from "../../shared/errors/error.ts";
import { bucketSource } from "../../shared/releases/blob-source.ts";
import { waitUntil } from "cloudflare:workers";
import { EdgeReleases } from "./releases/edge-releases.ts";
import type { Settings } from "./settings.ts";

/** One per isolate: what it keeps is keyed by digests, nothing in it belongs to a request. */
const known = new WeakMap<Settings, EdgeReleases>();

/** @throws FoveaError `not_configured` without a bucket */
export function releasesOf(env: Env, settings: Settings): EdgeReleases {
  const found = known.get(settings);
  if (found !== undefined) return found;
  const releases = new EdgeReleases({
    sources: [bucketSource(bucketOf(env))],
    channel: settings.channel,
    trust: settings.trust,
    waitUntil,
  });
  known.set(settings, releases);
  return releases;
}

export function bucketOf(env: Env): R2Bucket {
  if (env.RELEASES === undefined) throw new FoveaError("not_configured", "This deployment has no bucket RELEASES.");
  return env.RELEASES;
}
