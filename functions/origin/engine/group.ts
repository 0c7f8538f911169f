import type { KvSequence } from "../backbones/backbone.ts";
import type { PromptPositions } from "../backbones/position-ids.ts";
import type { BackboneSpec } from "../backbones/spec.ts";
import { blockHashes } from "./block-hash.ts";
import { OPEN_TOKENS } from "./kv-budget.ts";
import { promptPositions } from "./positions.ts";
import type { FinishReason, GenerateRequest } from "./request.ts";
import { Sampler, type LogitsProcessor, type SampledToken } from "./sampling/sampler.ts";

/** One request inside the engine: `n` sequences that share a prompt, and what is measured over all of them. */
export class GroupState {
  readonly request: GenerateRequest;
  readonly arrival: number;
  readonly sequences: readonly Sequence[];
  /** Whether the client named no `max_tokens`. */
  readonly openEnded: boolean;
  readonly maxTokens: number;
  /** Names of the prompt's blocks; empty when nothing may be reused. */
  readonly hashes: readonly string[];
  /** Where the prompt's tokens stand; undefined for 0, 1, 2, ... */
  readonly positions: PromptPositions | undefined;
  readonly submittedAt: number;
  admittedAt: number | null = null;
  prefilledAt: number | null = null;
  cachedTokens = 0;

  constructor(options: {
    readonly request: GenerateRequest;
    readonly arrival: number;
    readonly now: number;
    readonly spec: Pick<BackboneSpec, "maxPositions" | "eosTokenIds" | "positions" | "mergeSize">;
    /** Tokens that the cache has for each of its sequences while nothing else is in it. */
    readonly longest: number;
    readonly reusePrefix: boolean;
    readonly fallbackSeed: number;
    readonly processors: readonly LogitsProcessor[];
  }) {
    const { request } = options;
    const { sampling } = request;
    this.request = request;
    this.arrival = options.arrival;
    this.submittedAt = options.now;
    this.openEnded = sampling.max_tokens === undefined;
    const wanted = sampling.max_tokens ?? options.longest - request.tokenIds.length + 1;
    this.maxTokens = Math.min(wanted, options.spec.maxPositions - request.tokenIds.length);
    this.positions = promptPositions(request, options.spec);
    this.hashes = options.reusePrefix ? blockHashes(request) : [];
    const stopIds = new Set([...(sampling.ignore_eos ? [] : options.spec.eosTokenIds), ...sampling.stop_token_ids]);
    this.sequences = Array.from({ length: sampling.n }, (_, choice) => {
      const processor = options.processors[choice] ?? null;
      return new Sequence({ group: this, choice, stopIds, fallbackSeed: options.fallbackSeed, processor });
    });
  }

  /** Tokens that one of its sequences reserves at first: those of its longest, where the client named it. The last one that is chosen is never fed back. */
  get firstTokens(): number {
    const answer = this.openEnded ? Math.min(this.maxTokens, OPEN_TOKENS) : this.maxTokens;
    return this.request.tokenIds.length + answer - 1;
  }

  get done(): boolean {
    return this.sequences.every(({ phase }) => phase === "done");
  }
}

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
    if (this.#stopIds.has(this.lastId) || this.#sampler.ended) return "stop";
    return this.generated >= this.group.maxTokens ? "length" : null;
  }

  dispose(): void {
    this.#sampler.dispose();
  }
}
