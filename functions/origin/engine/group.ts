import type { PromptPositions } from "../backbones/position-ids.ts";
import type { BackboneSpec } from "../backbones/spec.ts";
import { blockHashes } from "./block-hash.ts";
import { blocksFor } from "./kv-budget.ts";
import { promptPositions } from "./positions.ts";
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
    readonly reusePrefix: boolean;
    readonly fallbackSeed: number;
    readonly processors: readonly LogitsProcessor[];
  }) {
    const { request } = options;
    const { sampling } = request;
    this.request = request;
    this.arrival = options.arrival;
    this.submittedAt = options.now;
    this.maxTokens = Math.min(sampling.max_tokens, options.spec.maxPositions - request.tokenIds.length);
    this.positions = promptPositions(request, options.spec);
    this.hashes = options.reusePrefix ? blockHashes(request) : [];
    const stopIds = new Set([...(sampling.ignore_eos ? [] : options.spec.eosTokenIds), ...sampling.stop_token_ids]);
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
