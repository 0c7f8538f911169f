import { FoveaError } from "../../../shared/errors/error.ts";
import type { FrameMetaInput } from "../../../shared/frame/schema.ts";
import type { ChatRequest } from "../../../shared/openai/chat-request.ts";

type SamplingInput = FrameMetaInput["sampling"];

/** What a model allows and prefers, from its config files. */
export interface SamplingDefaults {
  /** Positions of the backbone: prompt and answer together. */
  readonly maxPositions: number;
  readonly vocabSize: number;
  /** `do_sample` of generation_config.json: when false, a request that says nothing is answered greedily. */
  readonly doSample: boolean;
  readonly temperature?: number | undefined;
  readonly top_p?: number | undefined;
  readonly top_k?: number | undefined;
}

/**
 * The sampling part of a frame. `max_completion_tokens` wins over `max_tokens`; without either the frame has
 * none: the answer may fill the context, as the OpenAI API has it, and the origin does not count on its doing so.
 * @throws FoveaError `context_length_exceeded` when the prompt leaves no room, `invalid_request`
 */
export function toSampling(request: ChatRequest, promptTokens: number, model: SamplingDefaults): SamplingInput {
  const room = model.maxPositions - promptTokens;
  if (room < 1) {
    throw new FoveaError(
      "context_length_exceeded",
      `This model takes ${model.maxPositions} tokens in all; the prompt alone has ${promptTokens}. Shorten it.`,
      { param: "messages" },
    );
  }
  const wanted = request.max_completion_tokens ?? request.max_tokens ?? null;
  return {
    ...(wanted !== null && { max_tokens: Math.min(wanted, room) }),
    temperature: request.temperature ?? defaultTemperature(model),
    top_p: request.top_p ?? (model.doSample ? model.top_p : undefined) ?? 1,
    top_k: Math.max(0, request.top_k ?? (model.doSample ? model.top_k : undefined) ?? 0),
    min_p: request.min_p ?? 0,
    repetition_penalty: request.repetition_penalty ?? 1,
    presence_penalty: request.presence_penalty ?? 0,
    frequency_penalty: request.frequency_penalty ?? 0,
    logit_bias: logitBias(request, model.vocabSize),
    n: request.n ?? 1,
    ignore_eos: request.ignore_eos ?? false,
    ...(request.seed !== null && request.seed !== undefined && { seed: request.seed }),
    ...logprobs(request),
  };
}

function defaultTemperature(model: SamplingDefaults): number {
  return model.doSample ? (model.temperature ?? 1) : 0;
}

function logitBias(request: ChatRequest, vocabSize: number): [number, number][] {
  return Object.entries(request.logit_bias ?? {}).map(([key, bias]) => {
    const id = Number(key);
    if (id >= vocabSize) {
      throw new FoveaError("invalid_request", `Token ${id} is not in this model's vocabulary.`, {
        param: "logit_bias",
      });
    }
    return [id, bias];
  });
}

function logprobs(request: ChatRequest): { logprobs?: number } {
  if (request.logprobs === true) return { logprobs: request.top_logprobs ?? 0 };
  if (request.top_logprobs === null || request.top_logprobs === undefined) return {};
  throw new FoveaError("invalid_request", "top_logprobs needs logprobs: true.", { param: "top_logprobs" });
}
