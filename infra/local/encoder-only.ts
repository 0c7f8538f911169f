import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { EncodeResult, EncoderRpc } from "../../shared/encoding/job.ts";
import type { EncoderSource } from "../../shared/encoding/encoder-inputs.ts";
import type { PlannedRelease } from "../releases/plan-release.ts";
import { buildPlayground } from "../build/playground.ts";
import { publishPlanned } from "../releases/publish-release.ts";
import { openStore } from "../store/open-store.ts";
import { freePort } from "./ports.ts";
import { localSecrets } from "./secrets.ts";
import type { CountedWasm } from "./count-wasm.ts";
import { BUCKET, s3Endpoint, startWorkers, type WorkersOptions } from "./workers.ts";

/** The encoder Worker in real workerd, with a bucket of its own that holds one model. */
export interface LocalEncoder {
  encode(processed: EncoderSource): Promise<EncodeResult>;
  /** Bytes of all wasm memories of its isolate; with the transform `countWasm` only. */
  wasmBytes(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Publishes a release into a temporary bucket and starts the Workers on it.
 * @throws Error what publish or the Workers say
 */
export async function startEncoder(
  planned: PlannedRelease,
  options: Pick<WorkersOptions, "inspectorPort" | "transform"> = {},
): Promise<LocalEncoder> {
  // The edge only lends its binding, but wrangler bundles it with its files.
  await buildPlayground();
  const directory = await mkdtemp(path.join(tmpdir(), "fovea-encoder-"));
  const secrets = await localSecrets(directory);
  const port = await freePort(0, "--port");
  const miniflare = await startWorkers({
    port,
    originUrl: "http://127.0.0.1:9",
    persist: directory,
    secrets,
    bindings: { ORIGIN_KEYS: secrets.originKeys },
    // Miniflare's own proxy of a binding complains of stubs that it does not free itself.
    quiet: true,
    ...options,
  });
  const stop = async (): Promise<void> => {
    await miniflare.dispose();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const [model, version] = ["model", "1"];
    const store = await openStore(`s3://${BUCKET}`, { ...secrets, endpoint: s3Endpoint(`http://127.0.0.1:${port}`) });
    const { digest } = await publishPlanned(planned, { model, version, store });
    store.close();
    const { ENCODER } = await miniflare.getBindings<{ ENCODER: EncoderRpc & CountedWasm }>("fovea-edge-local");
    return {
      async encode(processed) {
        const outcome = await ENCODER.encode({ release: { model, version, digest }, processed });
        (outcome as Partial<Disposable>)[Symbol.dispose]?.();
        if ("error" in outcome) throw new Error(`The encoder failed: ${outcome.error.message}`);
        return outcome.ok;
      },
      wasmBytes: () => ENCODER.wasmBytes(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
