import { AwsClient } from "aws4fetch";
import * as z from "zod";
import type { BlobSource } from "./blob-source.ts";
import { ReleaseError } from "./error.ts";

/** A copy of the bucket at another address: an S3 bucket, a custom domain of R2, another cloud. */
export interface Mirror {
  /** What a key is put behind, `https://host/bucket/`; it ends with a slash. */
  readonly baseUrl: string;
  /** Null for a public mirror, which is read by a plain GET. */
  readonly credentials: MirrorCredentials | null;
}

/** Of an account that may read and list: a store says 404 for a missing key only to those who may list. */
export interface MirrorCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Absent where the host tells it (R2, AWS) or none counts (MinIO). */
  readonly region?: string;
}

/** Loopback alone may do without TLS. */
const SAFE_URL = /^(?:https:\/\/|http:\/\/(?:127\.0\.0\.1|localhost)[:/])/;

const environment = z.object({
  MIRROR_URL: z.union([z.literal(""), z.url().regex(SAFE_URL)]).default(""),
  MIRROR_CREDENTIALS: z
    .string()
    .regex(/^[^:]+:[^:]+(?::[a-z0-9-]+)?$/)
    .optional(),
});

/**
 * The mirror that a Worker's environment names: the variable `MIRROR_URL`, and for a private one the secret
 * `MIRROR_CREDENTIALS` (`accessKeyId:secretAccessKey`, with `:region` behind where the host does not tell it).
 * @throws TypeError that names what is wrong, not its value
 */
export function readMirror(env: unknown): Mirror | null {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const names = parsed.error.issues.map((issue) => issue.path.join("."));
    throw new TypeError(
      `${names.join(" and ")} cannot be used: an https URL, and accessKeyId:secretAccessKey[:region].`,
    );
  }
  const { MIRROR_URL, MIRROR_CREDENTIALS } = parsed.data;
  if (MIRROR_URL === "") return null;
  const [accessKeyId, secretAccessKey, region] = MIRROR_CREDENTIALS?.split(":") ?? [];
  return {
    baseUrl: MIRROR_URL.endsWith("/") ? MIRROR_URL : `${MIRROR_URL}/`,
    credentials:
      accessKeyId === undefined || secretAccessKey === undefined
        ? null
        : { accessKeyId, secretAccessKey, ...(region === undefined ? {} : { region }) },
  };
}

/**
 * Reads a mirror over HTTPS, with AWS Signature Version 4 when it is private. Second to the binding, so that one store can
 * be down. A redirect is no answer: it could lead anywhere, with our signature on the way.
 */
export function mirrorSource(
  { baseUrl, credentials }: Mirror,
  fetcher: (request: Request) => Promise<Response> = (request) => fetch(request),
): BlobSource {
  // Retries belong to the reader, which also knows when to give a source up.
  const client = credentials === null ? null : new AwsClient({ ...credentials, service: "s3", retries: 0 });
  return {
    name: "mirror",
    async get(key, signal) {
      const init = { redirect: "manual" as const, ...(signal === undefined ? {} : { signal }) };
      const url = baseUrl + key;
      const response = await fetcher(client === null ? new Request(url, init) : await client.sign(url, init));
      if (response.status === 200) return response.body;
      await response.body?.cancel();
      // A public bucket that nobody may list says 403 for a missing key.
      if (response.status === 404 || (response.status === 403 && client === null)) return null;
      if (response.status === 401 || response.status === 403) {
        throw new ReleaseError(
          "shard_unreadable",
          `the mirror refuses ${key}: MIRROR_CREDENTIALS must read and list it`,
        );
      }
      throw new Error(`the mirror answered ${response.status}`);
    },
  };
}
