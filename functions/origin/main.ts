import { serve, type ServerType } from "@hono/node-server";
import type { AddressInfo } from "node:net";
import { importSigningKeys } from "../../shared/http-signature/keys.ts";
import { NonceCache } from "../../shared/http-signature/nonces.ts";
import { readTrust } from "../../shared/releases/trust.ts";
import { createApp } from "./app.ts";
import type { OriginContext } from "./context.ts";
import { Encoders } from "./encoder/encoders.ts";
import { FeatureCache } from "./features/feature-cache.ts";
import { Admission } from "./generate/admission.ts";
import { log } from "./log.ts";
import { fileSource } from "./releases/file-source.ts";
import { OriginReleases } from "./releases/origin-releases.ts";
import { s3Source } from "./releases/s3-source.ts";
import { Serving } from "./serving/serving.ts";
import { SpanExporter } from "./telemetry/otlp.ts";
import { readSettings, type Settings, type StoreSettings } from "./settings.ts";

const settings = readSettings(process.env);
const origin = await createContext(settings);
const server = await listen(origin);
process.once("SIGTERM", () => void shutDown("SIGTERM"));
process.once("SIGINT", () => void shutDown("SIGINT"));
// Started for development, it must not outlive a parent that was killed: the parent's end of the pipe closes then.
if (settings.endWithStdin) process.stdin.resume().once("end", () => void shutDown("stdin"));

async function createContext(settings: Settings): Promise<OriginContext> {
  const { engine, maxQueue, maxPerKey } = settings;
  const releases = new OriginReleases({
    source: objectSource(settings.store),
    channel: settings.channel,
    cacheDir: settings.cacheDir,
    trust: await readTrust(settings.stage, settings.trustedKeys),
    onFault: ({ source, fault }) => log("warn", "release_fault", { source, fault }),
  });
  const serving = new Serving(releases, settings);
  await serving.warm();
  releases.watch(settings.models);
  return {
    settings,
    keys: await importSigningKeys(settings.originKeys),
    nonces: new NonceCache(),
    admission: new Admission({
      maxInFlight: engine.maxSequences + maxQueue,
      maxPerKey,
      concurrency: engine.maxSequences,
    }),
    features: new FeatureCache(settings.featureCacheBytes),
    serving,
    encoders: new Encoders(settings),
    exporter: settings.otlpEndpoint === undefined ? null : new SpanExporter(settings.otlpEndpoint),
  };
}

function objectSource(store: StoreSettings) {
  if (store.kind === "file") return fileSource(store.root);
  const { bucket, endpoint, region, accessKeyId, secretAccessKey } = store;
  return s3Source({
    bucket,
    accessKeyId,
    secretAccessKey,
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
  });
}

function listen(origin: OriginContext): Promise<ServerType> {
  const { host, port } = origin.settings;
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: createApp(origin).fetch, hostname: host, port }, ({ port: taken }: AddressInfo) => {
      log("info", "listening", { port: taken });
      resolve(server);
    });
    server.once("error", reject);
  });
}

/** How long the last events may take to reach clients, once nothing runs any more. */
const LAST_WORDS_MS = 1_000;

/** Refuses what is new, lets what runs finish, then ends; the platform's SIGKILL is for what takes longer. */
async function shutDown(signal: string): Promise<void> {
  log("info", "draining", { signal, in_flight: origin.admission.inFlight });
  origin.admission.drain();
  const deadline = Date.now() + settings.drainMs;
  while (origin.admission.inFlight > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const closed = new Promise((resolve) => server.close(resolve));
  await origin.serving.close();
  await origin.exporter?.flush();
  // What still ran was told so just now; it is on its way.
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS))]);
  log("info", "stopped", { in_flight: origin.admission.inFlight });
  process.exit(0);
}
