import { bucketSource, type BlobSource, type BucketReader } from "./blob-source.ts";
import { cacheSource, type ResponseCache } from "./cache-source.ts";
import { httpSource } from "./http-source.ts";

/** Where a Worker reads releases from, in order: the location's cache, its bucket, a mirror when one is named. */
export function workerSources(cache: ResponseCache, bucket: BucketReader, mirrorUrl: string | null): BlobSource[] {
  const sources = [cacheSource(cache), bucketSource(bucket)];
  if (mirrorUrl !== null) sources.push(httpSource("mirror", mirrorUrl, (url, init) => fetch(url, init)));
  return sources;
}
