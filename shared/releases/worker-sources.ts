import { bucketSource, type BlobSource, type BucketReader } from "./blob-source.ts";
import { cacheSource, type ResponseCache } from "./cache-source.ts";
import { mirrorSource, type Mirror } from "./mirror-source.ts";

/** Where a Worker reads releases from, in order: the location's cache, its bucket, a mirror when one is named. */
export function workerSources(cache: ResponseCache, bucket: BucketReader, mirror: Mirror | null): BlobSource[] {
  return [cacheSource(cache), bucketSource(bucket), ...(mirror === null ? [] : [mirrorSource(mirror)])];
}
