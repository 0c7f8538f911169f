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
 *
 * Usage is the origin's where it has ended every choice. Where a stop string or a call has ended one here, the origin may
 * have gone on with it, or is let go before it counts: then the ids are counted that the choices took, those of the stop string
 * among them, and the end token of each choice that the origin has ended, as the origin would.
 * @throws FoveaError what the origin said; `origin_failed` when it stops before every choice has its end
 */
export async function* toSteps(
  events: AsyncGenerator<AnswerEvent>,
  { choices, promptTokens, onTiming }: StepsOptions,
): AsyncGenerator<ChatStep> {
  let usage: OriginUsage | undefined;
  let taken = 0;
  let endedHere = false;
  let last = false;
  for await (const event of events) {
    if ("error" in event) continue;
    const choice = choices[event.index];
    if (choice === undefined) throw new Error("The origin answered for a choice that nobody asked for.");
    if ("timing" in event && event.timing !== undefined) onTiming(event.timing);
    if (choice.finishReason !== null) continue;
    let held: MessageDelta = { content: "", tool_calls: [] };
    if ("ids" in event) {
      const delta = choice.push(event);
      taken += delta.token_ids.length;
      endedHere ||= choice.finishReason !== null;
      yield { type: "delta", ...delta };
    } else {
      held = choice.finish(event.finish_reason);
      if (event.stop_token_id !== undefined) taken++;
      usage = event.usage;
    }
    if (choice.finishReason === null) continue;
    last = choices.every(({ finishReason }) => finishReason !== null);
    yield { type: "finish", index: choice.index, ...held, reason: choice.finishReason, last };
    if (last) break;
  }
  if (!last) throw brokenOff();
  const counted = endedHere ? undefined : usage;
  yield { type: "usage", usage: toUsage(counted ?? { prompt_tokens: promptTokens, completion_tokens: taken }) };
}

function toUsage({ prompt_tokens, completion_tokens }: Omit<OriginUsage, "cached_tokens">): Usage {
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}
