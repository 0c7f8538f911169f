import type { BlobSource } from "./blob-source.ts";

/** `fetch`, or one that signs (SigV4) for a bucket that is not public. */
export type Fetch = (url: string, init: { redirect: "manual"; signal?: AbortSignal }) => Promise<Response>;

/**
 * A mirror of the bucket over HTTPS: a public S3 bucket, a custom domain of R2, another cloud. Second to the binding, so
 * that one store can be down. A redirect is no answer: it could lead anywhere, with our signature on the way.
 */
export function httpSource(name: string, baseUrl: string, fetcher: Fetch): BlobSource {
  const base = baseUrl.endsWith("/") ? baseUrl : `${baseUrl}/`;
  return {
    name,
    async get(key, signal) {
      const init = { redirect: "manual" as const, ...(signal === undefined ? {} : { signal }) };
      const response = await fetcher(base + key, init);
      if (response.status === 200) return response.body;
      await response.body?.cancel();
      // S3 answers 403 for a missing key when the caller may not list; either way there is nothing to be had here.
      if (response.status === 404 || response.status === 403) return null;
      throw new Error(`the mirror answered ${response.status}`);
    },
  };
}
