import type { BlobSource } from "./blob-source.ts";
import { BLOBS_PREFIX } from "./keys.ts";
import { Semaphore } from "./semaphore.ts";

/** As much of a Worker's `caches.default` as is needed here. Structural, so that shared code names no runtime. */
export interface ResponseCache {
  match(url: string): Promise<Response | undefined>;
  put(url: string, response: Response): Promise<void>;
}

/** No host answers here: the Cache API only wants an absolute URL as key. */
const CACHE_ORIGIN = "https://releases.fovea.invalid/";

/**
 * The cache of a Cloudflare location in front of the bucket. It holds blobs alone: they never change, so they never go
 * stale. Bytes from it are checked like any others. (On workers.dev it keeps nothing, and everything is a miss.)
 */
export function cacheSource(cache: ResponseCache): BlobSource {
  // Each put holds a copy of a shard until it is stored; one at a time is 8 MiB and not six times that.
  const puts = new Semaphore(1);
  return {
    name: "cache",
    async get(key) {
      if (!key.startsWith(BLOBS_PREFIX)) return null;
      return (await cache.match(CACHE_ORIGIN + key))?.body ?? null;
    },
    async put(key, bytes) {
      if (!key.startsWith(BLOBS_PREFIX)) return;
      const headers = {
        "cache-control": "public, max-age=31536000, immutable",
        "content-length": String(bytes.length),
      };
      await puts.run(() => cache.put(CACHE_ORIGIN + key, new Response(bytes as Uint8Array<ArrayBuffer>, { headers })));
    },
  };
}
