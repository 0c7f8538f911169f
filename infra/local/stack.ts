import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { untilAborted } from "../process/until-aborted.ts";
import { openStore } from "../store/open-store.ts";
import type { PublishProgress } from "../releases/upload-shards.ts";
import { lockDirectory } from "./lock-directory.ts";
import { startOrigin } from "./origin-process.ts";
import { freePort } from "./ports.ts";
import { publishBuiltin, LOCAL_CHANNEL } from "./publish-builtin.ts";
import { localSecrets } from "./secrets.ts";
import { BUCKET, s3Endpoint, startWorkers, type WorkersOptions } from "./workers.ts";

export interface StackOptions {
  /** 0 picks a free one. */
  readonly port: number;
  readonly originPort: number;
  /** Folder of bucket, secrets and caches; of one stack at a time. */
  readonly directory: string;
  readonly apiKey: string;
  /** Variables of the Workers beyond wrangler.toml's. */
  readonly bindings?: Readonly<Record<string, string>>;
  /** Variables of the origin. */
  readonly originEnv?: Readonly<Record<string, string>>;
  /** Whether to publish the built-in model; tests of an empty store do without. */
  readonly builtin?: boolean;
  readonly inspectorPort?: WorkersOptions["inspectorPort"];
  readonly transform?: WorkersOptions["transform"];
  /** Ends the start: what has started by then is stopped. */
  readonly signal?: AbortSignal;
  readonly onStep?: (step: string) => void;
  readonly onProgress?: (progress: PublishProgress) => void;
}

/** Edge, encoder, bucket and origin, running on loopback. */
export interface Stack {
  readonly edgeUrl: string;
  readonly originUrl: string;
  readonly apiKey: string;
  /** `keyid:base64` of the edge-origin hop. */
  readonly originKeys: string;
  readonly s3: {
    readonly endpoint: string;
    readonly bucket: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
  /** Settles with its last words if the origin ends by itself. */
  readonly originEnded: Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts everything and settles when all are ready; what had started is stopped when a part fails.
 * @throws the signal's reason, UnavailableError for a folder in use or a taken port, Error with the failing part's own words
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { directory, apiKey, signal, onStep = () => undefined } = options;
  await mkdir(directory, { recursive: true });
  const stops: (() => Promise<void>)[] = [await lockDirectory(directory)];
  const stop = async (): Promise<void> => {
    for (const stopOne of stops.splice(0).toReversed()) await stopOne();
  };
  try {
    const port = await freePort(options.port, "--port");
    const originPort = await freePort(options.originPort, "--origin-port");
    const secrets = await localSecrets(directory);
    onStep("Bundling the Workers and starting workerd");
    const originUrl = `http://127.0.0.1:${originPort}`;
    const workers = await startWorkers({
      port,
      originUrl,
      persist: directory,
      secrets,
      signal,
      ...(options.inspectorPort !== undefined && { inspectorPort: options.inspectorPort }),
      ...(options.transform !== undefined && { transform: options.transform }),
      bindings: { API_KEYS: apiKey, ORIGIN_KEYS: secrets.originKeys, ...options.bindings },
    });
    stops.push(() => workers.dispose());
    const edgeUrl = `http://127.0.0.1:${port}`;
    const { accessKeyId, secretAccessKey } = secrets;
    const s3 = { endpoint: s3Endpoint(edgeUrl), bucket: BUCKET, accessKeyId, secretAccessKey };
    const local = path.join(directory, "local.json");
    await writeFile(local, JSON.stringify({ edge: edgeUrl, origin: originUrl, s3 }, null, 2), { mode: 0o600 });
    stops.push(() => rm(local, { force: true }));
    if (options.builtin !== false) {
      onStep("Publishing the built-in model");
      const store = await openStore(`s3://${BUCKET}`, s3);
      await untilAborted(publishBuiltin(store, options.onProgress), signal);
      store.close();
    }
    onStep("Starting the origin");
    const cacheDir = path.join(directory, "origin-cache");
    const environment = originEnvironment({ s3, originKeys: secrets.originKeys }, originPort, cacheDir);
    const origin = await startOrigin({ ...environment, ...options.originEnv }, signal);
    stops.push(() => origin.stop());
    return { edgeUrl, originUrl, apiKey, originKeys: secrets.originKeys, s3, originEnded: origin.ended, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What an origin of this stack is started with. `cacheDir` belongs to one process. */
export function originEnvironment(
  { s3, originKeys }: Pick<Stack, "s3" | "originKeys">,
  port: number,
  cacheDir: string,
): Record<string, string> {
  return {
    FOVEA_STAGE: "local",
    FOVEA_CHANNEL: LOCAL_CHANNEL,
    FOVEA_HOST: "127.0.0.1",
    FOVEA_PORT: String(port),
    FOVEA_ORIGIN_KEYS: originKeys,
    FOVEA_STORE: `s3://${s3.bucket}`,
    FOVEA_S3_ENDPOINT: s3.endpoint,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    FOVEA_CACHE_DIR: cacheDir,
  };
}
