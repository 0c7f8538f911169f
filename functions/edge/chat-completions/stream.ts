import { toFoveaError } from "../../../shared/errors/error.ts";
import type { ChatRequest } from "../../../shared/openai/chat-request.ts";
import type { ChatCompletionChunk, Usage } from "../../../shared/openai/completion.ts";
import { DONE_EVENT, formatEvent } from "../../../shared/sse/format.ts";
import { logError } from "../render-error.ts";
import { envelopeOf } from "./envelope.ts";
import type { ChatAnswer } from "./service.ts";
import type { ChatStep } from "./steps.ts";
import type { Stopwatch } from "./stopwatch.ts";

type Rest = Pick<ChatCompletionChunk, "choices"> & Partial<ChatCompletionChunk>;

/**
 * The answer as OpenAI's event stream: the first delta of a choice has its role, its last chunk the `finish_reason` and,
 * on the last of all, `fovea`; with `stream_options.include_usage` one more chunk has the usage and no choices; then
 * `[DONE]`. A stream that fails ends with an `error` event, never silently. When the reader goes away, so does the origin.
 */
export function streamChat(
  request: ChatRequest,
  answer: ChatAnswer,
  stopwatch: Stopwatch,
  requestId: string,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const text = chunks(request, answer, stopwatch, requestId);
  return new ReadableStream({
    async pull(controller) {
      const next = await text.next();
      if (next.done === true) controller.close();
      else controller.enqueue(encoder.encode(next.value));
    },
    async cancel() {
      await text.return(undefined);
    },
  });
}

async function* chunks(
  request: ChatRequest,
  answer: ChatAnswer,
  stopwatch: Stopwatch,
  requestId: string,
): AsyncGenerator<string, void> {
  const includeUsage = request.stream_options?.include_usage === true;
  const envelope = envelopeOf(request.model, answer);
  // With include_usage every other chunk has `usage: null`, as OpenAI's reference says.
  const write = (rest: Rest): string =>
    formatEvent({ object: "chat.completion.chunk", ...envelope, ...(includeUsage && { usage: null }), ...rest });
  const withIds = request.return_token_ids === true;
  let usage: Usage | undefined;
  try {
    for (let index = 0; index < (request.n ?? 1); index++) {
      const ids = withIds && index === 0 ? { prompt_token_ids: [...answer.prompt_token_ids] } : {};
      yield write({
        ...ids,
        choices: [{ index, delta: { role: "assistant", content: "" }, logprobs: null, finish_reason: null }],
      });
    }
    for await (const step of answer.steps) {
      if (step.type === "usage") usage = step.usage;
      else yield* stepChunks(step, withIds, write, () => ({ release: answer.release, timing: stopwatch.timing() }));
    }
    if (includeUsage && usage !== undefined) yield write({ choices: [], usage });
    yield DONE_EVENT;
  } catch (thrown) {
    const error = toFoveaError(thrown);
    logError(error, requestId);
    yield formatEvent(error.toBody());
  } finally {
    await answer.steps.return(undefined);
  }
}

function* stepChunks(
  step: Exclude<ChatStep, { type: "usage" }>,
  withIds: boolean,
  write: (rest: Rest) => string,
  extension: () => NonNullable<ChatCompletionChunk["fovea"]>,
): Generator<string> {
  const { index, content, tool_calls } = step;
  const isEmpty = content === "" && tool_calls.length === 0;
  const delta = {
    ...((content !== "" || tool_calls.length === 0) && { content }),
    ...(tool_calls.length > 0 && { tool_calls }),
  };
  if (step.type === "delta") {
    // A step may add ids and no text: half a character, or the beginning of a stop string.
    if (isEmpty && !withIds && step.logprobs === null) return;
    const ids = withIds ? { token_ids: step.token_ids } : {};
    yield write({ choices: [{ index, delta, logprobs: step.logprobs, finish_reason: null, ...ids }] });
    return;
  }
  if (!isEmpty) yield write({ choices: [{ index, delta, logprobs: null, finish_reason: null }] });
  yield write({
    choices: [{ index, delta: {}, logprobs: null, finish_reason: step.reason }],
    ...(step.last && { fovea: extension() }),
  });
}
