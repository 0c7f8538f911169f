import type { KvSequence } from "../backbones/backbone.ts";
import type { GroupState } from "./group.ts";
import type { FinishReason } from "./request.ts";
import { Sampler, type LogitsProcessor, type SampledToken } from "./sampling/sampler.ts";

/** `waiting` for admission, or for the prefill of its group's first; then `prefill`, `decode`, `done`. */
export type Phase = "waiting" | "prefill" | "decode" | "done";

/** One answer while it grows. */
export class Sequence {
  readonly group: GroupState;
  readonly choice: number;
  readonly #sampler: Sampler;
  readonly #stopIds: ReadonlySet<number>;
  phase: Phase = "waiting";
  kv: KvSequence | null = null;
  /** The newest id, not yet fed to the backbone. */
  lastId = -1;
  generated = 0;
  steps = 0;
  /** Cache blocks that are reserved for it. */
  blocks = 0;

  constructor(options: {
    readonly group: GroupState;
    readonly choice: number;
    readonly stopIds: ReadonlySet<number>;
    readonly fallbackSeed: number;
    readonly processor: LogitsProcessor | null;
  }) {
    const { sampling, tokenIds } = options.group.request;
    this.group = options.group;
    this.choice = options.choice;
    this.#stopIds = options.stopIds;
    this.#sampler = new Sampler({ ...options, sampling, prompt: tokenIds });
  }

  /** To be awaited before each `sample`. */
  prepare(): Promise<void> {
    return this.#sampler.prepare();
  }

  /** Chooses the next token. @param logits `[vocab]`, changed in place */
  sample(logits: Float32Array): SampledToken {
    const token = this.#sampler.next(logits);
    this.lastId = token.id;
    this.generated++;
    return token;
  }

  /** Why the answer is over after the token that was just chosen; null when it goes on. */
  finishReason(): FinishReason | null {
    if (this.#stopIds.has(this.lastId)) return "stop";
    return this.generated >= this.group.maxTokens ? "length" : null;
  }

  dispose(): void {
    this.#sampler.dispose();
  }
}
