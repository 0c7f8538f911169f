import { largest } from "./select.ts";

/** Log probability of one token, and of the likeliest ones at its place: `[id, logprob]`, falling. */
export interface TokenLogprobs {
  readonly logprob: number;
  readonly top: readonly (readonly [id: number, logprob: number])[];
}

/** Of the model's own distribution: before bias, penalties and temperature, as vLLM reports them by default. */
export class Logprobs {
  readonly #logits: Float32Array;
  readonly #logSum: number;

  constructor(logits: Float32Array) {
    // A copy: the sampler changes the logits before it knows the token.
    this.#logits = logits.slice();
    const { length } = logits;
    let max = -Infinity;
    for (let id = 0; id < length; id++) if (logits[id] > max) max = logits[id];
    let sum = 0;
    for (let id = 0; id < length; id++) sum += Math.exp(logits[id] - max);
    this.#logSum = max + Math.log(sum);
  }

  of(id: number, top: number): TokenLogprobs {
    const ids = top === 0 ? [] : largest(this.#logits, top);
    return { logprob: this.#at(id), top: ids.map((one) => [one, this.#at(one)] as const) };
  }

  #at(id: number): number {
    return (this.#logits[id] ?? -Infinity) - this.#logSum;
  }
}
