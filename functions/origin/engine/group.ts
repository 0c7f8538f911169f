import { blockHashes } from "./block-hash.ts";
import { blocksFor } from "./kv-budget.ts";
import type { GenerateRequest } from "./request.ts";
import type { LogitsProcessor } from "./sampling/sampler.ts";
import { Sequence } from "./sequence.ts";

/** One request inside the engine: `n` sequences that share a prompt, and what is measured over all of them. */
export class GroupState {
  readonly request: GenerateRequest;
  readonly arrival: number;
  readonly sequences: readonly Sequence[];
  readonly maxTokens: number;
  /** Names of the prompt's blocks; empty when nothing may be reused. */
  readonly hashes: readonly string[];
  readonly submittedAt: number;
  admittedAt: number | null = null;
  prefilledAt: number | null = null;
  cachedTokens = 0;

  constructor(options: {
    readonly request: GenerateRequest;
    readonly arrival: number;
    readonly now: number;
    readonly maxPositions: number;
    readonly eosTokenIds: readonly number[];
    readonly reusePrefix: boolean;
    readonly fallbackSeed: number;
    readonly processors: readonly LogitsProcessor[];
  }) {
    const { request } = options;
    const { sampling } = request;
    this.request = request;
    this.arrival = options.arrival;
    this.submittedAt = options.now;
    this.maxTokens = Math.min(sampling.max_tokens, options.maxPositions - request.tokenIds.length);
    this.hashes = options.reusePrefix ? blockHashes(request) : [];
    const stopIds = new Set([...(sampling.ignore_eos ? [] : options.eosTokenIds), ...sampling.stop_token_ids]);
    this.sequences = Array.from({ length: sampling.n }, (_, choice) => {
      const processor = options.processors[choice] ?? null;
      return new Sequence({ group: this, choice, stopIds, fallbackSeed: options.fallbackSeed, processor });
    });
  }

  /** Cache blocks of one of its sequences at its longest. The last token that is chosen is never fed back. */
  get blocksPerSequence(): number {
    return blocksFor(this.request.tokenIds.length + this.maxTokens - 1);
  }

  get done(): boolean {
    return this.sequences.every(({ phase }) => phase === "done");
  }
}
