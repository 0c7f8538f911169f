import { readFile } from "node:fs/promises";
import { FoveaError } from "../../../shared/errors/error.ts";
import { fromPixelTensors } from "../../../shared/encoding/pixel-tensors.ts";
import type { Frame } from "../../../shared/frame/frame.ts";
import { requireStage } from "../../../shared/releases/release.ts";
import type { CachedFeatures } from "../features/feature-cache.ts";
import type { LocalRelease } from "../releases/local-cache.ts";
import type { Settings } from "../settings.ts";
import { EncoderHost } from "./host.ts";

/** Encoders that are loaded at once: stable and canary of two models. */
const MAX_ENCODERS = 4;

/** The vision encoders of this process, each loaded when the first pixels for it come. */
export class Encoders {
  readonly #settings: Pick<Settings, "provider" | "threads">;
  /** By release digest, the one used longest ago first. */
  readonly #hosts = new Map<string, Promise<EncoderHost>>();

  constructor(settings: Pick<Settings, "provider" | "threads">) {
    this.#settings = settings;
  }

  /**
   * Features of the pictures that a frame brings as pixels, by feature key. Width and rows are checked where rows meet
   * placeholders.
   * @throws FoveaError `invalid_frame`, `release_unavailable`, `overloaded`, `origin_failed`
   */
  async encodePixels({ meta, tensors }: Frame, local: LocalRelease): Promise<ReadonlyMap<string, CachedFeatures>> {
    const encoded = new Map<string, CachedFeatures>();
    for (const { hash, tensor, inputs = {} } of meta.features) {
      if (tensor?.startsWith("pixels.") !== true || encoded.has(hash)) continue;
      const source = fromPixelTensors(tensor, inputs, tensors);
      const host = await this.#host(local);
      encoded.set(hash, await host.encode(source));
    }
    return encoded;
  }

  async #host(local: LocalRelease): Promise<EncoderHost> {
    const { release, digest } = local;
    const starting = this.#hosts.get(digest) ?? this.#start(local);
    this.#hosts.delete(digest);
    this.#hosts.set(digest, starting);
    // Before the wait, so that between the choice of a host and its use no other request runs.
    await this.#makeRoom(digest);
    try {
      const host = await starting;
      if (host.failure !== null) throw host.failure;
      return host;
    } catch (cause) {
      this.#hosts.delete(digest);
      throw new FoveaError("release_unavailable", `The encoder of ${release.name} cannot be loaded here.`, { cause });
    }
  }

  /** Ends the threads of encoders that are not in use, the oldest first. */
  async #makeRoom(wanted: string): Promise<void> {
    for (const [digest, starting] of this.#hosts) {
      if (this.#hosts.size <= MAX_ENCODERS) return;
      if (digest === wanted) continue;
      const host = await starting.catch(() => null);
      if (host !== null && host.active > 0) continue;
      this.#hosts.delete(digest);
      await host?.close();
    }
  }

  async #start(local: LocalRelease): Promise<EncoderHost> {
    const stage = requireStage(local.release, "vision_encoder");
    const processor = requireStage(local.release, "image_processor").files;
    const [graph] = stage.files;
    if (graph === undefined) throw new Error("The stage vision_encoder has no files.");
    const json = async (name: string): Promise<unknown> =>
      processor.includes(name) ? (JSON.parse(await readFile(local.path(name), "utf8")) as unknown) : undefined;
    const { provider, threads } = this.#settings;
    return EncoderHost.start({
      provider,
      threads,
      graph: local.path(graph),
      inputs: stage.inputs,
      preprocessorConfig: await json("preprocessor_config.json"),
      processorConfig: await json("processor_config.json"),
      config: await json("config.json"),
    });
  }
}
