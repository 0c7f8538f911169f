import path from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type LegacyWorkerOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import * as z from "zod";
import { WORKER_CONFIGS, type WorkerName } from "../paths.ts";
import { untilAborted } from "../process/until-aborted.ts";
import { bundleWorker, type Bundle } from "./bundle.ts";
import { freePort } from "./ports.ts";
import type { LocalSecrets } from "./secrets.ts";

export interface WorkersOptions {
  readonly port: number;
  readonly originUrl: string;
  /** Folder of the bundles and the local bucket. */
  readonly persist: string;
  readonly secrets: LocalSecrets;
  /** Variables and secrets beyond wrangler.toml's, for one Worker or both. */
  readonly bindings: Readonly<Record<string, string>>;
  /** Port of workerd's inspector; none without it. */
  readonly inspectorPort?: number;
  /** Whether the edge serves the playground's files; production does not, and each request is then one hop shorter. */
  readonly assets?: boolean;
  /** What the Workers write to their consoles goes nowhere; by default it is printed. */
  readonly quiet?: boolean;
  /** Changes a bundle before it runs; benches count memory that way. */
  readonly transform?: (name: WorkerName, bundle: Bundle) => Promise<Bundle>;
  /** Ends the start. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Both Workers in one workerd, as wrangler.toml describes them for the `local` environment. Miniflare also serves the
 * bucket as an S3 endpoint, so that publishing and the origin use the client that they use against R2.
 * @throws UnavailableError for a taken port; nothing is left running then
 */
export async function startWorkers(options: WorkersOptions): Promise<Miniflare> {
  const { transform = (_name, bundle) => Promise.resolve(bundle), persist, signal } = options;
  const [edge, encoder] = await Promise.all(
    (["edge", "encoder"] as const).map(async (name) => transform(name, await bundleWorker(name, persist, signal))),
  );
  const miniflare = withoutSignals(
    () =>
      new Miniflare(
        convertV4MiniflareOptions({
          host: "127.0.0.1",
          port: options.port,
          log: new Log(LogLevel.ERROR),
          logRequests: false,
          telemetry: { enabled: false },
          ...(options.quiet === true && { handleStructuredLogs: () => undefined }),
          ...(options.inspectorPort !== undefined && { inspectorPort: options.inspectorPort }),
          resourcePersistencePath: path.join(persist, "r2"),
          workers: [workerOptions("edge", edge, options), workerOptions("encoder", encoder, options)],
        }),
      ),
  );
  try {
    await untilAborted(miniflare.ready, signal);
    return miniflare;
  } catch (error) {
    // It keeps the process alive, also when it failed; that disposing of it says the same once more helps nobody.
    await miniflare.dispose().catch(() => undefined);
    signal?.throwIfAborted();
    // What took the port since it was looked at; the other reasons are told in workerd's own words.
    await freePort(options.port, "--port");
    throw error;
  }
}

/**
 * Creates what ends the process by itself at a signal, as Miniflare does, without that: who starts the Workers also stops
 * them, with all that belongs to them, in order.
 */
function withoutSignals<T>(create: () => T): T {
  const signals = ["SIGINT", "SIGTERM"] as const;
  const before = new Map(signals.map((signal) => [signal, new Set(process.listeners(signal))]));
  const created = create();
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) {
      if (before.get(signal)?.has(listener) !== true) process.off(signal, listener);
    }
  }
  return created;
}

function workerOptions(
  name: WorkerName,
  bundle: Bundle,
  options: WorkersOptions,
): LegacyWorkerOptions & { name: string } {
  const { workerOptions: fromConfig } = unstable_getMiniflareWorkerOptions(WORKER_CONFIGS[name], "local");
  const { accessKeyId, secretAccessKey } = options.secrets;
  if (options.assets === false) delete fromConfig["assets"];
  return {
    ...fromConfig,
    name: `fovea-${name}-local`,
    modulesRoot: bundle.directory,
    modules: bundle.modules,
    bindings: { ...variablesOf(name), ...options.bindings, ORIGIN_URL: options.originUrl },
    r2Buckets: { RELEASES: { id: BUCKET, s3Credentials: { accessKeyId, secretAccessKey } } },
  };
}

function variablesOf(name: WorkerName): Readonly<Record<string, string>> {
  const config: unknown = unstable_readConfig({ config: WORKER_CONFIGS[name], env: "local" });
  return configSchema.parse(config).vars;
}

const configSchema = z.object({ vars: z.record(z.string(), z.string()) });

/** `bucket_name` of wrangler.toml's local environment. */
export const BUCKET = "fovea-releases";

/** Where Miniflare serves the bucket as S3. */
export function s3Endpoint(edgeUrl: string): string {
  return new URL("/cdn-cgi/local/r2/s3", edgeUrl).href;
}
