import type { Sampling } from "../../../../shared/frame/schema.ts";
import { draw } from "./draw.ts";
import { Logprobs, type TokenLogprobs } from "./logprobs.ts";
import { Penalties } from "./penalties.ts";
import { uniform } from "./random.ts";

/** Masks logits by rules of its own, a grammar for example. One per sequence; it sees every token that is chosen. */
export interface LogitsProcessor {
  /** Makes the next mask where that takes a promise; awaited before the logits come. */
  prepare?(): Promise<void>;
  /** Sets logits `[vocab]` of forbidden ids to -Infinity. */
  apply(logits: Float32Array): void;
  accept(id: number): void;
  /** Whether the answer is over with what was accepted: nothing is masked any more. */
  readonly ended?: boolean;
  /** Frees what the processor holds. */
  dispose(): void;
}

export interface SampledToken {
  readonly id: number;
  readonly logprobs: TokenLogprobs | null;
}

export interface SamplerOptions {
  readonly sampling: Sampling;
  readonly prompt: Int32Array;
  /** Which of `n` answers: each draws numbers of its own. */
  readonly choice: number;
  /** Ids that may not come before `min_tokens`. */
  readonly stopIds: ReadonlySet<number>;
  /** Used when the request names no seed. */
  readonly fallbackSeed: number;
  readonly processor: LogitsProcessor | null;
}

/** Chooses the tokens of one sequence. */
export class Sampler {
  readonly #options: SamplerOptions;
  readonly #penalties: Penalties | null;
  readonly #seed: number;
  #step = 0;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#penalties = Penalties.of(options.sampling, options.prompt);
    this.#seed = options.sampling.seed ?? options.fallbackSeed;
  }

  /** @param logits `[vocab]`, changed in place */
  next(logits: Float32Array): SampledToken {
    const { sampling, choice, stopIds, processor } = this.#options;
    const logprobs = sampling.logprobs === undefined ? null : new Logprobs(logits);
    this.#penalties?.apply(logits);
    // After the penalties: nothing may bring back what a grammar forbids.
    processor?.apply(logits);
    if (this.#step < (sampling.min_tokens ?? 0)) keepBack(logits, stopIds);
    const id = draw(logits, sampling, sampling.temperature === 0 ? 0 : uniform(this.#seed, choice, this.#step));
    this.#step++;
    this.#penalties?.accept(id);
    processor?.accept(id);
    return { id, logprobs: logprobs?.of(id, sampling.logprobs ?? 0) ?? null };
  }

  /** Whether its grammar has come to its end. */
  get ended(): boolean {
    return this.#options.processor?.ended ?? false;
  }

  async prepare(): Promise<void> {
    await this.#options.processor?.prepare?.();
  }

  dispose(): void {
    this.#options.processor?.dispose();
  }
}

/** Forbids ids, unless no other is left: a grammar may have nothing more to say before `min_tokens`. */
function keepBack(logits: Float32Array, ids: ReadonlySet<number>): void {
  const before = [...ids].map((id) => [id, logits[id]] as const);
  for (const [id] of before) logits[id] = -Infinity;
  if (logits.every((logit) => logit === -Infinity)) for (const [id, logit] of before) logits[id] = logit;
}
