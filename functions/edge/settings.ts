import * as z from "zod";
import { FoveaError } from "../../shared/errors/error.ts";
import type { Trust } from "../../shared/releases/dsse.ts";
import { parseFloors } from "../../shared/releases/floors.ts";
import { readMirror, type Mirror } from "../../shared/releases/mirror-source.ts";
import { readTrust } from "../../shared/releases/trust.ts";
import { importSigningKeys, type SigningKey } from "../../shared/http-signature/keys.ts";

/** The key of a local stage; `FOVEA_API_KEY` of `npm start` overrides it. No other stage ever accepts it. */
const LOCAL_API_KEY = "fovea-local";

const list = z.string().transform((text) =>
  text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ""),
);

const envSchema = z.object({
  STAGE: z.enum(["local", "staging", "production"]),
  CHANNEL: z.string().min(1),
  ORIGIN_URL: z.url(),
  /** Secret: `keyid:base64`, several with commas; the first signs. */
  ORIGIN_KEYS: z.string().optional(),
  /** Secret: keys of clients, several with commas. */
  API_KEYS: z.string().optional(),
  ALLOWED_ORIGINS: list.default([]),
  /** Public keys in PEM that sign releases. */
  TRUSTED_KEYS: z.string().optional(),
  /** Lowest channel sequences that a cold start accepts; `fovea deploy` writes them. */
  RELEASE_FLOORS: z.string().optional(),
});

export interface Settings {
  readonly stage: "local" | "staging" | "production";
  readonly channel: string;
  /** Base URL of the origin, without a slash at its end. */
  readonly originUrl: string;
  readonly originKey: SigningKey;
  /** At least one. */
  readonly apiKeys: readonly string[];
  /** Origins of web apps that may call the API from a browser; `*` for all. */
  readonly allowedOrigins: readonly string[];
  /** Whose signatures on releases count. */
  readonly trust: Trust;
  /** Model -> lowest channel sequence. */
  readonly releaseFloors: ReadonlyMap<string, number>;
  /** Second source of releases: a copy of the bucket. */
  readonly mirror: Mirror | null;
  /** Id of the deployed version of the Worker, for `x-fovea-version`. */
  readonly version: string;
}

/**
 * Reads the environment once. A deployed Worker without its secrets answers 503 to everything but `/healthz`.
 * @throws FoveaError `not_configured`: the message names what is missing, not its value
 */
export async function readSettings(env: Env): Promise<Settings> {
  const parsed = envSchema.safeParse(env);
  if (!parsed.success) {
    const names = parsed.error.issues.map((issue) => issue.path.join("."));
    throw notConfigured(`variables ${names.join(", ")}`);
  }
  const { STAGE, CHANNEL, ORIGIN_URL, ORIGIN_KEYS, API_KEYS, ALLOWED_ORIGINS, TRUSTED_KEYS, RELEASE_FLOORS } =
    parsed.data;
  const apiKeys = list.parse(API_KEYS ?? "");
  if (STAGE === "local" && apiKeys.length === 0) apiKeys.push(LOCAL_API_KEY);
  if (STAGE !== "local" && apiKeys.includes(LOCAL_API_KEY)) throw notConfigured("an API key of its own");
  if (apiKeys.length === 0) throw notConfigured("the secret API_KEYS");
  if (ORIGIN_KEYS === undefined) throw notConfigured("the secret ORIGIN_KEYS");
  const [originKey] = await importSigningKeys(ORIGIN_KEYS).catch((cause: unknown) => {
    throw notConfigured("a valid secret ORIGIN_KEYS", cause);
  });
  if (originKey === undefined) throw notConfigured("the secret ORIGIN_KEYS");
  const trust = await readTrust(STAGE, TRUSTED_KEYS).catch((cause: unknown) => {
    throw notConfigured("the variable TRUSTED_KEYS with the public keys that sign releases", cause);
  });
  return {
    stage: STAGE,
    channel: CHANNEL,
    originUrl: ORIGIN_URL.replace(/\/+$/, ""),
    originKey,
    apiKeys,
    allowedOrigins: ALLOWED_ORIGINS,
    trust,
    releaseFloors: configured("a valid variable RELEASE_FLOORS", () => parseFloors(RELEASE_FLOORS)),
    mirror: configured("a valid MIRROR_URL and MIRROR_CREDENTIALS", () => readMirror(env)),
    version: env.VERSION?.id ?? "local",
  };
}

function configured<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw notConfigured(what, cause);
  }
}

function notConfigured(what: string, cause?: unknown): FoveaError {
  return new FoveaError("not_configured", `This deployment is not configured: it needs ${what}.`, { cause });
}
