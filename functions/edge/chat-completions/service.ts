import type { AnswerEvent, OriginTiming, OriginUsage } from "../../../shared/frame/answer.ts";
import { encodeFrame, type FrameInput } from "../../../shared/frame/encode.ts";
import { FRAME_PROTOCOL } from "../../../shared/frame/schema.ts";
import type { ChatRequest } from "../../../shared/openai/chat-request.ts";
import type { FinishReason, Usage } from "../../../shared/openai/completion.ts";
import { callerHash } from "../../../shared/releases/pick.ts";
import { tensorOf, type Tensor } from "../../../shared/safetensors/dtypes.ts";
import { edgeModel, type EdgeModel } from "../model/edge-model.ts";
import { openAnswer } from "../origin/client.ts";
import { releasesOf } from "../releases-of.ts";
import type { Settings } from "../settings.ts";
import { Choice, type ChoiceDelta } from "./choice.ts";
import { encodeImages, imagesOf, type EncodedImage } from "./images.ts";
import { buildPrompt, type Prompt } from "./prompt.ts";
import { toSampling } from "./sampling.ts";
import type { Stopwatch } from "./stopwatch.ts";

/** What a chat request is answered with and on. */
export interface ChatContext {
  readonly env: Env;
  readonly settings: Settings;
  readonly apiKey: string;
  readonly requestId: string;
  readonly traceparent: string | undefined;
  /** Fires when the client goes away. */
  readonly signal: AbortSignal;
  readonly stopwatch: Stopwatch;
}

/** Steps of an answer, in order. Each choice ends with one `finish`, `last` on the last; `usage` is the end of all. */
export type ChatStep =
  | ({ readonly type: "delta" } & ChoiceDelta)
  | {
      readonly type: "finish";
      readonly index: number;
      readonly content: string;
      readonly reason: FinishReason;
      readonly last: boolean;
    }
  | { readonly type: "usage"; readonly usage: Usage };

export interface ChatAnswer {
  /** `name@version`. */
  readonly release: string;
  readonly digest: string;
  readonly prompt_token_ids: Int32Array;
  readonly steps: AsyncGenerator<ChatStep>;
}

/**
 * Answers a chat: everything up to the origin's acceptance of the frame happens before this settles, so whatever is wrong
 * with the request is an error with a status, never an event in a stream.
 */
export async function answerChat(request: ChatRequest, context: ChatContext): Promise<ChatAnswer> {
  const { env, settings, stopwatch } = context;
  const images = imagesOf(request);
  const caller = await callerHash(request.model, context.apiKey, request.safety_identifier ?? request.user ?? null);
  const reader = await releasesOf(env, settings).resolve(request.model, caller);
  const model = await edgeModel(reader);
  const encoded = await encodeImages(images, model, env, stopwatch);
  const prompt = await stopwatch.time("tokenize", "edge", () => buildPrompt(request, model, encoded));
  const frame = encodeFrame(toFrame(request, model, prompt, encoded));
  stopwatch.addWireBytes(frame.byteLength);

  const abort = new AbortController();
  context.signal.addEventListener("abort", () => abort.abort());
  const sentAt = stopwatch.now();
  const { requestId, traceparent } = context;
  const events = await openAnswer(settings, { frame, signal: abort.signal, requestId, traceparent });
  return {
    release: `${reader.release.name}@${reader.release.version}`,
    digest: reader.digest,
    prompt_token_ids: prompt.token_ids,
    steps: toSteps(events, request, model, prompt.token_ids.length, (timing) => stopwatch.addOrigin(sentAt, timing)),
  };
}

function toFrame(request: ChatRequest, model: EdgeModel, prompt: Prompt, images: readonly EncodedImage[]): FrameInput {
  const { release } = model.reader;
  const tensors: Record<string, Tensor> = {};
  images.forEach(({ features }, i) => {
    tensors[`features.${i}`] = tensorOf("F16", [features.rows, features.width], features.image_features);
  });
  return {
    meta: {
      protocol: FRAME_PROTOCOL,
      model: release.name,
      release: model.reader.digest,
      contract: release.contractId,
      sampling: toSampling(request, prompt.token_ids.length, model.config),
      features: prompt.runs.map(({ image, row, offset, length }) => ({
        modality: "image",
        hash: images[image]?.hash ?? "",
        offset,
        length,
        row,
        tensor: `features.${image}`,
      })),
      cache_salt: request.cache_salt ?? "",
      priority: request.priority ?? 0,
    },
    token_ids: prompt.token_ids,
    tensors,
  };
}

/** Ids -> text per choice. When every choice has met a stop string, the origin is let go before its own end. */
async function* toSteps(
  events: AsyncGenerator<AnswerEvent>,
  request: ChatRequest,
  model: EdgeModel,
  promptTokens: number,
  onTiming: (timing: OriginTiming) => void,
): AsyncGenerator<ChatStep> {
  const stops = typeof request.stop === "string" ? [request.stop] : (request.stop ?? []);
  const choices = Array.from({ length: request.n ?? 1 }, (_, index) => new Choice(index, model.tokenizer, stops));
  let usage: OriginUsage | undefined;
  let completionTokens = 0;
  for await (const event of events) {
    if ("error" in event) continue;
    const choice = choices[event.index];
    if (choice === undefined) throw new Error("The origin answered for a choice that nobody asked for.");
    const wasOpen = choice.finishReason === null;
    let content = "";
    if ("ids" in event) {
      if (!wasOpen) continue;
      const delta = choice.push(event);
      completionTokens += delta.token_ids.length;
      yield { type: "delta", ...delta };
    } else {
      content = choice.finish(event.finish_reason);
      usage = event.usage ?? usage;
      if (event.timing !== undefined) onTiming(event.timing);
    }
    const last = choices.every(({ finishReason }) => finishReason !== null);
    if (wasOpen && choice.finishReason !== null) {
      yield { type: "finish", index: choice.index, content, reason: choice.finishReason, last };
    }
    if (last && (usage !== undefined || "ids" in event)) break;
  }
  yield {
    type: "usage",
    usage: toUsage(usage ?? { prompt_tokens: promptTokens, completion_tokens: completionTokens }),
  };
}

function toUsage({ prompt_tokens, completion_tokens }: Omit<OriginUsage, "cached_tokens">): Usage {
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}
