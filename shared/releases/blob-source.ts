/**
 * Where objects of the bucket are read from: an R2 binding, a cache, an S3 mirror, a folder. Bytes from it are not trusted;
 * who asks checks length and sha256.
 */
export interface BlobSource {
  /** For logs and metrics: `r2`, `cache`, `s3`. */
  readonly name: string;
  /** The object, or null when the source has none. Throws when the source cannot say. */
  get(key: string, signal?: AbortSignal): Promise<Uint8Array | ReadableStream<Uint8Array> | null>;
  /** Keeps verified bytes for the next reader; only caches have it. Failures are the cache's own affair. */
  put?(key: string, bytes: Uint8Array): Promise<void>;
}

/** As much of an R2 binding (`R2Bucket`) as reading takes. Structural, so that shared code names no runtime. */
export interface BucketReader {
  get(key: string): Promise<{ readonly body: ReadableStream<Uint8Array> } | null>;
}

/** The R2 binding of a Worker as a source. */
export function bucketSource(bucket: BucketReader): BlobSource {
  return { name: "r2", get: async (key) => (await bucket.get(key))?.body ?? null };
}
