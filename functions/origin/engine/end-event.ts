import type { GroupState } from "./group.ts";
import type { EngineEvent } from "./request.ts";

/** What is said of a request when all its answers are over. @param now of the engine's clock */
export function endEvent(group: GroupState, now: number): EngineEvent {
  const { id, tokenIds } = group.request;
  const admitted = group.admittedAt ?? now;
  const prefilled = group.prefilledAt ?? now;
  return {
    type: "end",
    id,
    usage: {
      prompt_tokens: tokenIds.length,
      cached_tokens: group.cachedTokens,
      completion_tokens: group.sequences.reduce((sum, { generated }) => sum + generated, 0),
    },
    timing: {
      queue_ms: admitted - group.submittedAt,
      prefill_ms: prefilled - admitted,
      decode_ms: now - prefilled,
      steps: Math.max(...group.sequences.map(({ steps }) => steps)),
    },
  };
}
