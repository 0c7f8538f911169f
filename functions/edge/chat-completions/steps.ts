import type { AnswerEvent, OriginTiming, OriginUsage } from "../../../shared/frame/answer.ts";
import type { FinishReason, Usage } from "../../../shared/openai/completion.ts";
import { brokenOff } from "../origin/client.ts";
import type { MessageDelta } from "./answer-text.ts";
import type { Choice, ChoiceDelta } from "./choice.ts";

/** Steps of an answer, in order. Each choice ends with one `finish`, `last` on the last; `usage` is the end of all. */
export type ChatStep =
  | ({ readonly type: "delta" } & ChoiceDelta)
  | ({
      readonly type: "finish";
      readonly index: number;
      readonly reason: FinishReason;
      readonly last: boolean;
    } & MessageDelta)
  | { readonly type: "usage"; readonly usage: Usage };

export interface StepsOptions {
  readonly choices: readonly Choice[];
  readonly promptTokens: number;
  readonly onTiming: (timing: OriginTiming) => void;
}

/**
 * Ids -> text and calls per choice. When every choice has found its end before the origin has, that is let go.
 * @throws FoveaError what the origin said; `origin_failed` when it stops before every choice has its end
 */
export async function* toSteps(
  events: AsyncGenerator<AnswerEvent>,
  { choices, promptTokens, onTiming }: StepsOptions,
): AsyncGenerator<ChatStep> {
  let usage: OriginUsage | undefined;
  let completionTokens = 0;
  const haveEnded = (): boolean => choices.every(({ finishReason }) => finishReason !== null);
  for await (const event of events) {
    if ("error" in event) continue;
    const choice = choices[event.index];
    if (choice === undefined) throw new Error("The origin answered for a choice that nobody asked for.");
    const wasOpen = choice.finishReason === null;
    let held: MessageDelta = { content: "", tool_calls: [] };
    if ("ids" in event) {
      if (!wasOpen) continue;
      const delta = choice.push(event);
      completionTokens += delta.token_ids.length;
      yield { type: "delta", ...delta };
    } else {
      held = choice.finish(event.finish_reason);
      usage = event.usage ?? usage;
      if (event.timing !== undefined) onTiming(event.timing);
    }
    const last = haveEnded();
    if (wasOpen && choice.finishReason !== null) {
      yield { type: "finish", index: choice.index, ...held, reason: choice.finishReason, last };
    }
    if (last && (usage !== undefined || "ids" in event)) break;
  }
  if (!haveEnded()) throw brokenOff();
  yield {
    type: "usage",
    usage: toUsage(usage ?? { prompt_tokens: promptTokens, completion_tokens: completionTokens }),
  };
}

function toUsage({ prompt_tokens, completion_tokens }: Omit<OriginUsage, "cached_tokens">): Usage {
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}
