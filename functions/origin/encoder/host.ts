import { Worker } from "node:worker_threads";
import type { EncoderSource } from "../../../shared/encoding/encoder-inputs.ts";
import { FoveaError } from "../../../shared/errors/error.ts";
import type { CachedFeatures } from "../features/feature-cache.ts";
import { log } from "../log.ts";
import type { EncoderThreadData, FromEncoder } from "./messages.ts";

/** Pictures that wait for one encoder; each holds its pixels. Beyond: 503. */
const MAX_WAITING = 32;

interface Waiting {
  resolve(features: CachedFeatures): void;
  reject(error: Error): void;
}

/** A vision encoder in a thread of its own. */
export class EncoderHost {
  readonly #worker: Worker;
  readonly #ready: Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #failure: Error | null = null;

  /** Starts the thread and waits until the graph is loaded. @throws Error when it cannot be */
  static async start(data: EncoderThreadData): Promise<EncoderHost> {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: data, env: {} });
    const host = new EncoderHost(worker);
    await host.#ready;
    return host;
  }

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.#ready = new Promise((resolve, reject) => {
      worker.once("message", () => resolve());
      worker.once("error", reject);
      worker.once("exit", () => reject(new Error("The encoder's thread ended while it started.")));
    });
    this.#ready.catch(() => undefined);
    worker.on("message", (message: FromEncoder) => this.#receive(message));
    worker.on("error", (error) => this.#broke(error instanceof Error ? error : new Error(String(error))));
    worker.on("exit", () => this.#broke(new Error("The encoder's thread ended.")));
  }

  /** Why it encodes no more; null while it can. */
  get failure(): Error | null {
    return this.#failure;
  }

  /** Pictures that are encoded or wait for it. */
  get active(): number {
    return this.#waiting.size;
  }

  /** @throws FoveaError `overloaded`, `origin_failed` */
  async encode(source: EncoderSource): Promise<CachedFeatures> {
    if (this.#failure !== null) throw new FoveaError("origin_failed", "The encoder is not running.");
    if (this.#waiting.size >= MAX_WAITING) {
      throw new FoveaError("overloaded", "The origin's encoder is busy. Try again soon.", { retryAfterMs: 1_000 });
    }
    const id = this.#next++;
    // A copy that moves over: a view would take the whole frame along, once for each of its pictures.
    const pixels = source.pixels.slice();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
      this.#worker.postMessage({ id, source: { ...source, pixels } }, [pixels.buffer]);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #receive(message: FromEncoder): void {
    if (message.type === "ready") return;
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === "features") waiting?.resolve(message.features);
    else {
      log("error", "encode_failed", { cause: message.message.slice(0, 300) });
      waiting?.reject(new FoveaError("origin_failed", "The encoder failed on this picture."));
    }
  }

  #broke(error: Error): void {
    this.#failure ??= error;
    for (const waiting of this.#waiting.values())
      waiting.reject(new FoveaError("origin_failed", "The encoder stopped."));
    this.#waiting.clear();
  }
}
