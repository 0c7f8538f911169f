import { waitUntil } from "cloudflare:workers";
import { FoveaError } from "../../shared/errors/error.ts";
import { workerSources } from "../../shared/releases/worker-sources.ts";
import { EdgeReleases } from "./releases/edge-releases.ts";
import type { Settings } from "./settings.ts";

/** One per isolate: what it keeps is keyed by digests, nothing in it belongs to a request. */
const known = new WeakMap<Settings, EdgeReleases>();

/** @throws FoveaError `not_configured` without a bucket */
export function releasesOf(env: Env, settings: Settings): EdgeReleases {
  const found = known.get(settings);
  if (found !== undefined) return found;
  const releases = new EdgeReleases({
    sources: workerSources(caches.default, bucketOf(env), settings.mirror),
    channel: settings.channel,
    trust: settings.trust,
    floors: settings.releaseFloors,
    waitUntil,
    onFault: logFault,
  });
  known.set(settings, releases);
  return releases;
}

export function bucketOf(env: Env): R2Bucket {
  if (env.RELEASES === undefined) throw new FoveaError("not_configured", "This deployment has no bucket RELEASES.");
  return env.RELEASES;
}

/** A fault that another source or the last known good release made good is still an operator's business. */
function logFault(event: { readonly fault: string }): void {
  // A client asked for a model that does not exist.
  if (event.fault === "channel_missing") return;
  // oxlint-disable-next-line no-console -- Workers Logs take what a Worker writes to its console
  console.warn(JSON.stringify({ level: "warn", event: "release_fault", ...event }));
}
