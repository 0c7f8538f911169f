import { performance } from "node:perf_hooks";
import { OriginReleases } from "../../functions/origin/releases/origin-releases.ts";
import { s3Source } from "../../functions/origin/releases/s3-source.ts";
import { promoteRelease } from "../../infra/releases/promote-release.ts";
import { publishRelease } from "../../infra/releases/publish-release.ts";
import { verifyRelease } from "../../infra/releases/verify-release.ts";
import { openStore, type OpenStoreOptions } from "../../infra/store/open-store.ts";

/** One step of bench/releases.ts, in a process that holds nothing else. */
export type Step = "publish" | "publish again" | "one weight" | "verify" | "origin";

export interface Job {
  readonly step: Step;
  readonly dir: string;
  readonly store: string;
  readonly options: OpenStoreOptions;
  readonly cacheDir: string;
}

export interface Outcome {
  readonly seconds: number;
  readonly bytes: number;
  readonly shards: number;
  /** Resident memory of the process at its peak, bytes. */
  readonly peak: number;
}

const RELEASE = { model: "synthetic", version: "1.0.0" } as const;

async function runJob({ step, dir, store: url, options, cacheDir }: Job): Promise<Outcome> {
  const store = await openStore(url, options);
  let bytes = 0;
  let shards = 0;
  const started = performance.now();
  if (step === "verify") ({ bytes } = await verifyRelease({ ...RELEASE, store, trust: "unsigned" }));
  else if (step === "origin") {
    await promoteRelease({ ...RELEASE, store, channel: "bench", key: null, trust: "unsigned" });
    const { accessKeyId = "", secretAccessKey = "", endpoint = "" } = options;
    const source = s3Source({ bucket: url.slice("s3://".length), endpoint, accessKeyId, secretAccessKey });
    const { release } = await new OriginReleases({ source, channel: "bench", cacheDir, trust: "unsigned" }).stable(
      RELEASE.model,
    );
    bytes = Object.values(release.files).reduce((sum, file) => sum + file.size, 0);
  } else {
    const version = step === "one weight" ? "1.0.1" : RELEASE.version;
    const result = await publishRelease(dir, { ...RELEASE, version, store });
    ({ totalBytes: bytes, uploadedShards: shards } = result);
  }
  const seconds = (performance.now() - started) / 1000;
  store.close();
  return { seconds, bytes, shards, peak: process.resourceUsage().maxRSS * 1024 };
}

process.once("message", (job) => {
  void runJob(job as Job).then((outcome) => process.send?.(outcome, () => process.disconnect()));
});
