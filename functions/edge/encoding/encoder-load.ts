import { FoveaError } from "../../../shared/errors/error.ts";

/** Pictures of this isolate that the encoder Worker has not answered yet; it encodes one after another, and refuses at eight. */
const BUSY_JOBS = 4;

/** How long a refusal says that the encoder is busy with the pictures of other isolates. */
const REFUSED_MS = 2_000;

/** How much the encoder Worker has to do, as far as this isolate sees: what its answers take, and what it refuses. */
export class EncoderLoad {
  #jobs = 0;
  #refusedAt = Number.NEGATIVE_INFINITY;

  /** True when a picture had better be encoded elsewhere. */
  isBusy(now = Date.now()): boolean {
    return this.#jobs >= BUSY_JOBS || now - this.#refusedAt < REFUSED_MS;
  }

  /** Counts a job while it runs. */
  async run<T>(job: () => Promise<T>, now: () => number = Date.now): Promise<T> {
    this.#jobs++;
    try {
      return await job();
    } catch (error) {
      if (error instanceof FoveaError && error.code === "overloaded") this.#refusedAt = now();
      throw error;
    } finally {
      this.#jobs--;
    }
  }
}

/** The one of this isolate. */
export const encoderLoad = new EncoderLoad();
