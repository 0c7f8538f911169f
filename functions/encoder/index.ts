import { WorkerEntrypoint } from "cloudflare:workers";
import type { EncodeJob, EncodeResult, EncoderRpc, Outcome } from "../../shared/encoding/job.ts";
import { toFoveaError } from "../../shared/errors/error.ts";
import { encodeF16 } from "../../shared/frame/f16.ts";
import { Memo } from "../../shared/memo/memo.ts";
import { readMirror } from "../../shared/releases/mirror-source.ts";
import { openRelease, type ReleaseReader } from "../../shared/releases/release-reader.ts";
import { workerSources } from "../../shared/releases/worker-sources.ts";
import { ShardReader } from "../../shared/releases/shard-reader.ts";
import { Gate } from "./gate.ts";
import { loadEncoder, type ResidentEncoder } from "./resident.ts";

/** Encoders of this isolate, by feature id: two releases with one encoder share it. Another one takes its place. */
const residents = new Memo<ResidentEncoder>({ max: 1 });
/** Open manifests, by digest: stable and canary of a model or two. */
const readers = new Memo<ReleaseReader>({ max: 4 });
const gate = new Gate();

/** Pixels -> projected features, in an isolate of its own. Reached over a service binding only. */
export default class Encoder extends WorkerEntrypoint<Env> implements EncoderRpc {
  override fetch(): Response {
    return new Response(null, { status: 404 });
  }

  async encode(job: EncodeJob): Promise<Outcome<EncodeResult>> {
    try {
      return { ok: await gate.run(() => this.#encode(job)) };
    } catch (thrown) {
      const error = toFoveaError(thrown);
      logFailure(thrown);
      return { error: { code: error.code, message: error.message } };
    }
  }

  async #encode({ release, processed }: EncodeJob): Promise<EncodeResult> {
    const started = performance.now();
    const resident = await this.#resident(release.model, release.version, release.digest);
    const loaded = performance.now();
    const { image_features, rows, width } = await resident.encode(processed);
    return {
      image_features: encodeF16(image_features),
      rows,
      width,
      runtime: resident.runtime,
      load_ms: loaded - started,
      encode_ms: performance.now() - loaded,
    };
  }

  async #resident(model: string, version: string, digest: string): Promise<ResidentEncoder> {
    const reader = await readers.get(digest, () => openRelease(shardsOf(this.env), model, { version, digest }));
    return residents.get(reader.release.featureId, () => loadEncoder(reader));
  }
}

function shardsOf(env: Env): ShardReader {
  if (env.RELEASES === undefined) throw new Error("The encoder Worker has no binding RELEASES.");
  return new ShardReader(workerSources(caches.default, env.RELEASES, readMirror(env)));
}

function logFailure(thrown: unknown): void {
  const name = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : typeof thrown;
  // oxlint-disable-next-line no-console -- Workers Logs take what a Worker writes to its console
  console.error(JSON.stringify({ level: "error", worker: "encoder", error: name.slice(0, 500) }));
}
