import * as z from "zod";
import { PROVIDERS, type ProviderWish } from "./backbones/providers.ts";
import type { EngineSettings } from "./engine/settings.ts";

const MIB = 1024 * 1024;

const count = (fallback: number, max: number) => z.coerce.number().int().min(1).max(max).default(fallback);

/** Environment variables of the origin, with what holds when they are absent. */
const environment = z.object({
  /** `local`, `staging`, `production`: unsigned releases are accepted in `local` alone. */
  FOVEA_STAGE: z.string().default("production"),
  FOVEA_HOST: z.string().default("0.0.0.0"),
  /** 0 takes any free port; the one taken is printed. */
  FOVEA_PORT: z.coerce.number().int().min(0).max(65_535).default(8788),
  /** `keyid:base64secret`, up to two while one is being replaced. */
  FOVEA_ORIGIN_KEYS: z.string().min(1),
  /** Models whose stable release is loaded at start, separated by commas. */
  FOVEA_MODELS: z.string().default("moji-vlm-9m"),
  FOVEA_CHANNEL: z.string().default("production"),
  /** `s3://bucket`, or `file:PATH`: a folder laid out like the bucket. */
  FOVEA_STORE: z.string().regex(/^(?:s3:\/\/[a-z0-9.-]+|file:.+)$/),
  FOVEA_S3_ENDPOINT: z.url().optional(),
  AWS_ACCESS_KEY_ID: z.string().optional(),
  AWS_SECRET_ACCESS_KEY: z.string().optional(),
  AWS_REGION: z.string().optional(),
  FOVEA_CACHE_DIR: z.string().default(".fovea/origin-cache"),
  /** Public keys in PEM that sign releases. */
  TRUSTED_KEYS: z.string().optional(),

  FOVEA_PROVIDER: z.enum([...PROVIDERS, "auto"]).default("cpu"),
  /** Threads of one run; 0 takes all cores. */
  FOVEA_THREADS: z.coerce.number().int().min(0).max(1024).default(0),
  FOVEA_MAX_SEQUENCES: count(16, 256),
  FOVEA_KV_MB: count(1024, 1_048_576),
  FOVEA_PREFILL_SLICE_MS: count(50, 10_000),
  FOVEA_MAX_CHUNK_TOKENS: count(512, 65_536),
  FOVEA_PREFIX_CACHE: z.stringbool().default(true),
  FOVEA_FEATURE_CACHE_MB: count(256, 1_048_576),
  /** Requests that wait beside those that run; beyond: 503. */
  FOVEA_MAX_QUEUE: count(64, 100_000),
  /** Requests of one key id at once; beyond: 429. */
  FOVEA_MAX_PER_KEY: count(100_000, 100_000),
  /** Seconds after which a request is given up. */
  FOVEA_REQUEST_SECONDS: count(300, 86_400),
  /** Seconds that streams in flight get after SIGTERM. */
  FOVEA_DRAIN_SECONDS: count(30, 3_600),
  /** Ends when its standard input does: for a parent process that may be killed. */
  FOVEA_END_WITH_STDIN: z.stringbool().default(false),
  /** Where spans go, OTLP over HTTP; none are sent without it. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
});

export interface Settings {
  readonly stage: string;
  readonly host: string;
  readonly port: number;
  readonly originKeys: string;
  readonly models: readonly string[];
  readonly channel: string;
  readonly store: StoreSettings;
  readonly cacheDir: string;
  readonly trustedKeys: string | undefined;
  readonly provider: ProviderWish;
  readonly threads: number;
  readonly engine: EngineSettings;
  readonly featureCacheBytes: number;
  readonly maxQueue: number;
  readonly maxPerKey: number;
  readonly requestMs: number;
  readonly drainMs: number;
  readonly endWithStdin: boolean;
  readonly otlpEndpoint: string | undefined;
}

export type StoreSettings =
  | { readonly kind: "file"; readonly root: string }
  | {
      readonly kind: "s3";
      readonly bucket: string;
      readonly endpoint: string | undefined;
      readonly region: string | undefined;
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
    };

/** Parses the environment once. @throws Error naming each variable that is wrong, never its value */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    throw new Error(`The origin's settings are not valid:\n${wrong.join("\n")}`);
  }
  const values = parsed.data;
  return {
    stage: values.FOVEA_STAGE,
    host: values.FOVEA_HOST,
    port: values.FOVEA_PORT,
    originKeys: values.FOVEA_ORIGIN_KEYS,
    models: values.FOVEA_MODELS.split(",").map((name) => name.trim()),
    channel: values.FOVEA_CHANNEL,
    store: readStore(values),
    cacheDir: values.FOVEA_CACHE_DIR,
    trustedKeys: values.TRUSTED_KEYS,
    provider: values.FOVEA_PROVIDER,
    threads: values.FOVEA_THREADS,
    engine: {
      maxSequences: values.FOVEA_MAX_SEQUENCES,
      kvBytes: values.FOVEA_KV_MB * MIB,
      prefillSliceMs: values.FOVEA_PREFILL_SLICE_MS,
      maxChunkTokens: values.FOVEA_MAX_CHUNK_TOKENS,
      prefixCache: values.FOVEA_PREFIX_CACHE,
    },
    featureCacheBytes: values.FOVEA_FEATURE_CACHE_MB * MIB,
    maxQueue: values.FOVEA_MAX_QUEUE,
    maxPerKey: values.FOVEA_MAX_PER_KEY,
    requestMs: values.FOVEA_REQUEST_SECONDS * 1000,
    drainMs: values.FOVEA_DRAIN_SECONDS * 1000,
    endWithStdin: values.FOVEA_END_WITH_STDIN,
    otlpEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
  };
}

function readStore(values: z.output<typeof environment>): StoreSettings {
  if (values.FOVEA_STORE.startsWith("file:")) return { kind: "file", root: values.FOVEA_STORE.slice("file:".length) };
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = values;
  if (AWS_ACCESS_KEY_ID === undefined || AWS_SECRET_ACCESS_KEY === undefined) {
    throw new Error("The origin's settings lack AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, which an s3 store needs.");
  }
  return {
    kind: "s3",
    bucket: values.FOVEA_STORE.slice("s3://".length),
    endpoint: values.FOVEA_S3_ENDPOINT,
    region: values.AWS_REGION,
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
  };
}
