import type { ChatRequest } from "../../../shared/openai/chat-request.ts";
import type {
  ChatCompletion,
  FinishReason,
  TokenLogprob,
  ToolCallDelta,
  Usage,
} from "../../../shared/openai/completion.ts";
import type { ToolCall } from "../../../shared/openai/tools.ts";
import { envelopeOf } from "./envelope.ts";
import type { ChatAnswer } from "./service.ts";
import type { Stopwatch } from "./stopwatch.ts";

interface Collected {
  content: string;
  readonly tool_calls: ToolCall[];
  readonly token_ids: number[];
  readonly logprobs: TokenLogprob[];
  /** Null until the choice has ended. */
  finish_reason: FinishReason | null;
}

/** The whole answer in one piece, for a request without `stream`. */
export async function completeChat(
  request: ChatRequest,
  answer: ChatAnswer,
  stopwatch: Stopwatch,
): Promise<ChatCompletion> {
  const choices: Collected[] = Array.from({ length: request.n ?? 1 }, () => ({
    content: "",
    tool_calls: [],
    token_ids: [],
    logprobs: [],
    finish_reason: null,
  }));
  let usage: Usage = { prompt_tokens: answer.prompt_token_ids.length, completion_tokens: 0, total_tokens: 0 };
  for await (const step of answer.steps) {
    if (step.type === "usage") {
      usage = step.usage;
      continue;
    }
    const choice = choices[step.index];
    choice.content += step.content;
    for (const delta of step.tool_calls) addCall(choice.tool_calls, delta);
    if (step.type === "finish") choice.finish_reason = step.reason;
    else {
      choice.token_ids.push(...step.token_ids);
      choice.logprobs.push(...(step.logprobs?.content ?? []));
    }
  }
  const withIds = request.return_token_ids === true;
  return {
    object: "chat.completion",
    ...envelopeOf(request.model, answer),
    choices: choices.map(({ content, tool_calls, token_ids, logprobs, finish_reason }, index) => ({
      index,
      message: {
        role: "assistant",
        content: content === "" && tool_calls.length > 0 ? null : content,
        refusal: null,
        ...(tool_calls.length > 0 && { tool_calls }),
      },
      logprobs: request.logprobs === true ? { content: logprobs, refusal: null } : null,
      finish_reason: endOf(finish_reason),
      ...(withIds && { token_ids }),
    })),
    usage,
    ...(withIds && { prompt_token_ids: [...answer.prompt_token_ids] }),
    fovea: { release: answer.release, timing: stopwatch.timing() },
  };
}

/** Steps end every choice or throw, so that what is missing here is a mistake of ours, and no answer. */
function endOf(reason: FinishReason | null): FinishReason {
  if (reason === null) throw new Error("A choice has no end.");
  return reason;
}

function addCall(calls: ToolCall[], { index, id, function: { name, arguments: text } }: ToolCallDelta): void {
  calls[index] ??= { id: id ?? "", type: "function", function: { name: name ?? "", arguments: "" } };
  calls[index].function.arguments += text;
}
