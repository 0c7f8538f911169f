import type { Timing } from "./timing.ts";
import type { ToolCall } from "./tools.ts";

export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter";

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
  readonly top_logprobs: readonly Omit<TokenLogprob, "top_logprobs">[];
}

export interface ChoiceLogprobs {
  readonly content: readonly TokenLogprob[];
  readonly refusal: null;
}

/** Fovea's own part of an answer. */
export interface FoveaExtension {
  /** `name@version` of the release that answered. */
  readonly release: string;
  readonly timing: Timing;
}

/** A piece of a call: the first of each `index` has id, type and name; `arguments` grow by pieces. */
export interface ToolCallDelta {
  readonly index: number;
  readonly id?: string;
  readonly type?: "function";
  readonly function: { readonly name?: string; readonly arguments: string };
}

/** The answer of `POST /v1/chat/completions` without `stream`. */
export interface ChatCompletion {
  readonly id: string;
  readonly object: "chat.completion";
  readonly created: number;
  readonly model: string;
  readonly system_fingerprint: string;
  readonly choices: readonly {
    readonly index: number;
    readonly message: {
      readonly role: "assistant";
      /** null beside calls without any text. */
      readonly content: string | null;
      readonly refusal: null;
      readonly tool_calls?: readonly ToolCall[];
    };
    readonly logprobs: ChoiceLogprobs | null;
    readonly finish_reason: FinishReason;
    readonly token_ids?: readonly number[];
  }[];
  readonly usage: Usage;
  readonly prompt_token_ids?: readonly number[];
  readonly fovea: FoveaExtension;
}

/** One event of the answer with `stream`. */
export interface ChatCompletionChunk {
  readonly id: string;
  readonly object: "chat.completion.chunk";
  readonly created: number;
  readonly model: string;
  readonly system_fingerprint: string;
  readonly choices: readonly {
    readonly index: number;
    readonly delta: {
      readonly role?: "assistant";
      readonly content?: string;
      readonly tool_calls?: readonly ToolCallDelta[];
    };
    readonly logprobs: ChoiceLogprobs | null;
    readonly finish_reason: FinishReason | null;
    readonly token_ids?: readonly number[];
  }[];
  readonly usage?: Usage | null;
  readonly prompt_token_ids?: readonly number[];
  readonly fovea?: FoveaExtension;
}

/** An entry of `GET /v1/models`. */
export interface ModelObject {
  readonly id: string;
  readonly object: "model";
  readonly created: number;
  readonly owned_by: string;
}
