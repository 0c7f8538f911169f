import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { fileStore } from "./file-store.ts";
import { StoreError, type ObjectStore } from "./object-store.ts";
import { localDirectory } from "../local/running.ts";
import { UsageError } from "../usage.ts";
import { s3Store, type S3Options } from "./s3-store.ts";

/** What `npm start` writes to `local.json` of its folder while it runs, so that other commands find its parts. */
const localSchema = z
  .object({
    edge: z.string().optional(),
    origin: z.string().optional(),
    s3: z
      .object({ endpoint: z.string(), bucket: z.string(), accessKeyId: z.string(), secretAccessKey: z.string() })
      .readonly(),
  })
  .readonly();

export interface OpenStoreOptions extends Partial<S3Options> {
  /** The folder of the local stage whose `local.json` names the default store (default: as `localDirectory`). */
  readonly dir?: string;
  /** Whether a folder that is not there will do: for those who write. */
  readonly create?: boolean;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * The store behind `--store`: `s3://bucket`, `file:path`, or the local bucket of `npm start` when there is none. For S3,
 * endpoint and credentials come from the options, else from `FOVEA_S3_ENDPOINT` (or `AWS_ENDPOINT_URL_S3`), `AWS_REGION`,
 * `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`. Throws UsageError for a URL that names no store, StoreError with what to do.
 */
export async function openStore(url?: string, options: OpenStoreOptions = {}): Promise<ObjectStore> {
  if (url === undefined) return openLocal(localDirectory(options.dir));
  const file = /^file:(?:\/\/(?=\/))?(.+)$/.exec(url)?.[1];
  if (file !== undefined) return openFolder(file, options.create !== false);
  const bucket = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/?$/.exec(url)?.[1];
  if (bucket === undefined) throw new UsageError(`not a store: ${url} (s3://bucket or file:path)`);
  return s3Store(bucket, s3Options(options));
}

async function openFolder(folder: string, create: boolean): Promise<ObjectStore> {
  const found = await stat(folder).catch(() => null);
  if (found === null && !create) throw new StoreError("bucket_missing", `there is no store folder ${folder}`);
  if (found?.isDirectory() === false) throw new StoreError("refused", `${folder} is a file; a store is a folder`);
  return fileStore(folder);
}

function s3Options(options: OpenStoreOptions): S3Options {
  const env = options.env ?? process.env;
  const endpoint = options.endpoint ?? env["FOVEA_S3_ENDPOINT"] ?? env["AWS_ENDPOINT_URL_S3"];
  const region = options.region ?? env["AWS_REGION"];
  const accessKeyId = options.accessKeyId ?? env["AWS_ACCESS_KEY_ID"];
  const secretAccessKey = options.secretAccessKey ?? env["AWS_SECRET_ACCESS_KEY"];
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new StoreError("access_denied", "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  }
  return {
    accessKeyId,
    secretAccessKey,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
  };
}

async function openLocal(directory: string): Promise<ObjectStore> {
  const file = join(directory, "local.json");
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    const missing = `no --store was given and nothing runs in ${directory}: start it with \`npm start\`, or name its folder with --dir`;
    throw new StoreError("unreachable", missing, { cause });
  });
  const parsed = localSchema.safeParse(jsonOf(text));
  if (!parsed.success) throw new StoreError("refused", `${file} is not what \`npm start\` writes; start it again`);
  const { bucket, ...rest } = parsed.data.s3;
  return s3Store(bucket, rest);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
