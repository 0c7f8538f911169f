import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { StoreError, type ListedObject, type ObjectStore } from "./object-store.ts";

export interface S3Options {
  /** Absent for AWS itself; R2 is `https://<account>.r2.cloudflarestorage.com`. */
  readonly endpoint?: string;
  readonly region?: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** R2, MinIO, AWS and any other S3 that knows `If-None-Match` and `If-Match` on PUT. */
export function s3Store(bucket: string, options: S3Options): ObjectStore {
  const client = new S3Client({
    region: options.region ?? "auto",
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    forcePathStyle: true,
    credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey },
    // R2 and others do not know the newer checksum headers.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    maxAttempts: 5,
  });
  const at = (key: string) => ({ Bucket: bucket, Key: key });
  return {
    url: `s3://${bucket}`,

    async get(key, { range, into } = {}) {
      if (range?.length === 0) return new Uint8Array();
      const part = range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
      try {
        const answer = await client.send(new GetObjectCommand({ ...at(key), ...part }));
        // In Node the body is always a Readable; the type spans all runtimes.
        return await collect(answer.Body as AsyncIterable<Uint8Array> | undefined, answer.ContentLength ?? 0, into);
      } catch (thrown) {
        if (statusOf(thrown) === 416) return new Uint8Array();
        return orMissing(thrown, null, bucket);
      }
    },

    async put(key, bytes, { ifNoneMatch, ifMatch } = {}) {
      try {
        const answer = await client.send(
          new PutObjectCommand({
            ...at(key),
            Body: bytes,
            ContentLength: bytes.byteLength,
            ...(ifNoneMatch === undefined ? {} : { IfNoneMatch: ifNoneMatch }),
            ...(ifMatch === undefined ? {} : { IfMatch: ifMatch }),
          }),
        );
        return { size: bytes.byteLength, etag: answer.ETag ?? "" };
      } catch (thrown) {
        // If-Match on a key that is gone is a 404 at AWS and a 412 elsewhere; both mean that it has changed.
        if (ifMatch !== undefined && isMissingKey(thrown)) {
          throw new StoreError("precondition_failed", "the object is gone", { cause: thrown });
        }
        throw toStoreError(thrown, bucket);
      }
    },

    async head(key) {
      try {
        const answer = await client.send(new HeadObjectCommand(at(key)));
        const modifiedAt = answer.LastModified?.getTime() ?? Date.now();
        return { size: answer.ContentLength ?? 0, etag: answer.ETag ?? "", modifiedAt };
      } catch (thrown) {
        return orMissing(thrown, null, bucket);
      }
    },

    async touch(key) {
      try {
        // A copy onto itself is refused unless it replaces something; nothing reads the metadata.
        const source = { CopySource: `${bucket}/${encodeURI(key)}`, MetadataDirective: "REPLACE" } as const;
        await client.send(new CopyObjectCommand({ ...at(key), ...source }));
        return true;
      } catch (thrown) {
        return orMissing(thrown, false, bucket);
      }
    },

    async *list(prefix) {
      let token: string | undefined;
      do {
        const page = await client
          .send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix,
              ...(token === undefined ? {} : { ContinuationToken: token }),
            }),
          )
          .catch((thrown: unknown) => {
            throw toStoreError(thrown, bucket);
          });
        for (const { Key: key, Size: size, LastModified: modified } of page.Contents ?? []) {
          if (key !== undefined)
            yield { key, size: size ?? 0, modifiedAt: modified?.getTime() ?? Date.now() } satisfies ListedObject;
        }
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
    },

    async delete(key) {
      await client.send(new DeleteObjectCommand(at(key))).catch((thrown: unknown) => {
        throw toStoreError(thrown, bucket);
      });
    },

    close() {
      client.destroy();
    },
  };
}

/** The body in one buffer of the length that was announced; a body of another length is an error. */
async function collect(
  body: AsyncIterable<Uint8Array> | undefined,
  length: number,
  into: Uint8Array | undefined,
): Promise<Uint8Array> {
  if (into !== undefined && length > into.length) throw new StoreError("refused", "the object is longer than expected");
  const buffer = (into ?? new Uint8Array(length)).subarray(0, length);
  let received = 0;
  for await (const chunk of body ?? []) {
    if (received + chunk.length > length) throw new StoreError("unreachable", "the store sent more than it announced");
    buffer.set(chunk, received);
    received += chunk.length;
  }
  if (received < length) throw new StoreError("unreachable", "the store broke off");
  return buffer;
}

function orMissing<T>(thrown: unknown, value: T, bucket: string): T {
  if (isMissingKey(thrown)) return value;
  throw toStoreError(thrown, bucket);
}

/** HEAD answers carry no body, so a missing key there is a bare 404. */
function isMissingKey(thrown: unknown): boolean {
  return statusOf(thrown) === 404 && !(thrown instanceof S3ServiceException && thrown.name === "NoSuchBucket");
}

function statusOf(thrown: unknown): number | undefined {
  return thrown instanceof S3ServiceException ? thrown.$metadata.httpStatusCode : undefined;
}

function toStoreError(thrown: unknown, bucket: string): StoreError {
  if (thrown instanceof StoreError) return thrown;
  const status = statusOf(thrown);
  const cause = { cause: thrown };
  if (status === 412 || status === 409)
    return new StoreError("precondition_failed", "the object exists already or has changed", cause);
  if (status === 401 || status === 403)
    return new StoreError("access_denied", `no access to bucket ${bucket}: check the credentials`, cause);
  if (status === 404) return new StoreError("bucket_missing", `bucket ${bucket} does not exist`, cause);
  if (status === 429 || (status !== undefined && status >= 500)) {
    return new StoreError("throttled", `the store answered ${status} again and again; try later`, cause);
  }
  if (status === undefined) {
    return new StoreError(
      "unreachable",
      `the store cannot be reached: ${thrown instanceof Error ? thrown.message : "unknown"}`,
      cause,
    );
  }
  return new StoreError(
    "refused",
    `the store answered ${status} ${thrown instanceof Error ? thrown.message : ""}`,
    cause,
  );
}
