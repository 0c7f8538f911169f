import type { Sampling } from "../../../../shared/frame/schema.ts";

/**
 * Repetition, presence and frequency penalties and `logit_bias`, as vLLM defines them: repetition looks at prompt and
 * answer (CTRL, arXiv:1909.05858), presence and frequency at the answer alone. Counts are kept, never recounted.
 */
export class Penalties {
  readonly #sampling: Sampling;
  readonly #seen: Set<number>;
  readonly #counts = new Map<number, number>();

  private constructor(sampling: Sampling, prompt: Int32Array) {
    this.#sampling = sampling;
    this.#seen = new Set(sampling.repetition_penalty === 1 ? [] : prompt);
  }

  /** Null when a request asks for none, which most do. */
  static of(sampling: Sampling, prompt: Int32Array): Penalties | null {
    const { repetition_penalty, presence_penalty, frequency_penalty, logit_bias } = sampling;
    const none = repetition_penalty === 1 && presence_penalty === 0 && frequency_penalty === 0;
    return none && logit_bias.length === 0 ? null : new Penalties(sampling, prompt);
  }

  /** Changes logits `[vocab]` in place. */
  apply(logits: Float32Array): void {
    const { repetition_penalty, presence_penalty, frequency_penalty, logit_bias } = this.#sampling;
    for (const [id, bias] of logit_bias) add(logits, id, bias);
    if (repetition_penalty !== 1) {
      for (const id of this.#seen) {
        const logit = logits[id];
        if (logit !== undefined) logits[id] = logit > 0 ? logit / repetition_penalty : logit * repetition_penalty;
      }
    }
    if (presence_penalty !== 0 || frequency_penalty !== 0) {
      for (const [id, count] of this.#counts) add(logits, id, -(presence_penalty + frequency_penalty * count));
    }
  }

  accept(id: number): void {
    this.#seen.add(id);
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
  }
}

function add(logits: Float32Array, id: number, amount: number): void {
  const logit = logits[id];
  if (logit !== undefined) logits[id] = logit + amount;
}
