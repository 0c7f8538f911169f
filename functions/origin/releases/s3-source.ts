import { GetObjectCommand, NoSuchKey, S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import type { Readable } from "node:stream";

/** Reads objects, whole or from an offset on; null when there is none. Throws when the store cannot say. */
export interface ObjectSource {
  read(key: string, offset: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | null>;
}

export interface S3SourceOptions {
  readonly bucket: string;
  /** Absent for AWS itself; R2, MinIO and the local store name theirs. */
  readonly endpoint?: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region?: string;
}

/** An S3 bucket (R2, MinIO, AWS) as the origin reads it: GET and ranged GET only, so read-only credentials do. */
export function s3Source(options: S3SourceOptions): ObjectSource {
  const { bucket, endpoint, accessKeyId, secretAccessKey, region = "auto" } = options;
  const client = new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    // Stores other than AWS do not all know the newer checksum headers; sha256 is checked here anyway.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // Retries belong to the download, which can go on from where a stream broke.
    maxAttempts: 1,
    followRegionRedirects: false,
  });
  return {
    async read(key, offset, signal) {
      const range = offset === 0 ? {} : { Range: `bytes=${offset}-` };
      try {
        const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...range }), {
          abortSignal: signal,
        });
        if (offset !== 0 && answer.$metadata.httpStatusCode !== 206) throw new Error("the store ignores ranges");
        // In Node the body is always a Readable; the type spans all runtimes.
        return answer.Body === undefined ? null : (answer.Body as Readable as AsyncIterable<Uint8Array>);
      } catch (thrown) {
        if (isMissing(thrown)) return null;
        throw thrown;
      }
    },
  };
}

function isMissing(thrown: unknown): boolean {
  return (
    thrown instanceof NoSuchKey || (thrown instanceof S3ServiceException && thrown.$metadata.httpStatusCode === 404)
  );
}
