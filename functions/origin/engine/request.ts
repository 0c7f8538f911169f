import type { Sampling } from "../../../shared/frame/schema.ts";
import type { TokenLogprobs } from "./sampling/logprobs.ts";

/** Features of one picture, in the place of the placeholders at `[offset, offset + length)`. */
export interface FeatureRows {
  /** Names the content: sha256, 64 hex digits. */
  readonly hash: string;
  readonly offset: number;
  readonly length: number;
  /** Which of the picture's rows comes first: one picture may stand in several runs. */
  readonly row: number;
  /** `[length, hidden]` */
  readonly rows: Float32Array;
  /** Patches in time, height and width of the picture, which M-RoPE positions need. */
  readonly gridThw?: readonly [t: number, h: number, w: number] | undefined;
}

/** What the engine is asked to do. Survives a structured clone. */
export interface GenerateRequest {
  readonly id: string;
  /** The whole prompt, placeholders expanded: `[S]`. */
  readonly tokenIds: Int32Array;
  readonly features: readonly FeatureRows[];
  readonly sampling: Sampling;
  /** Caches share nothing between two salts, and turns are fair between the tenants that they name (`tenantOf`). */
  readonly salt: string;
  /** Larger goes first. */
  readonly priority: number;
  /** Milliseconds of the engine's clock after which the request is given up; null for never. */
  readonly deadline: number | null;
}

export type FinishReason = "stop" | "length";

export interface Usage {
  readonly prompt_tokens: number;
  /** Of them found in the prefix cache. */
  readonly cached_tokens: number;
  /** Over all choices, with the token that ended each. */
  readonly completion_tokens: number;
}

export interface EngineTiming {
  readonly queue_ms: number;
  readonly prefill_ms: number;
  readonly decode_ms: number;
  /** Decode steps of the longest choice. */
  readonly steps: number;
}

export type EngineErrorCode = "internal_error" | "invalid_request" | "origin_failed" | "origin_timeout";

/** What comes back, in order, per request. `end` or `error` is the last. */
export type EngineEvent =
  | {
      readonly type: "tokens";
      readonly id: string;
      readonly choice: number;
      readonly ids: readonly number[];
      readonly logprobs: readonly TokenLogprobs[] | null;
    }
  | {
      readonly type: "finish";
      readonly id: string;
      readonly choice: number;
      readonly reason: FinishReason;
      /** The id that ended the answer; it is not among the `tokens`. */
      readonly stopTokenId: number | null;
    }
  | { readonly type: "end"; readonly id: string; readonly usage: Usage; readonly timing: EngineTiming }
  | { readonly type: "error"; readonly id: string; readonly code: EngineErrorCode; readonly message: string };
