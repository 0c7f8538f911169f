import type { AnswerEventInput } from "../../../shared/frame/answer.ts";
import { formatEvent } from "../../../shared/sse/format.ts";
import type { EngineEvent } from "../engine/request.ts";
import type { TokenLogprobs } from "../engine/sampling/logprobs.ts";

/**
 * Turns what the engine says of one request into the events of its answer. The engine tells the end of each choice and
 * then of the request; on the wire the last `finish` carries usage and timing, so a finish is held until the next word.
 */
export class AnswerWriter {
  readonly #write: (text: string) => void;
  readonly #encodeMs: number | undefined;
  #held: (AnswerEventInput & { finish_reason: "stop" | "length" }) | null = null;

  constructor(write: (text: string) => void, encodeMs?: number) {
    this.#write = write;
    this.#encodeMs = encodeMs;
  }

  /** True when the answer is complete. */
  push(event: EngineEvent): boolean {
    if (event.type === "end") {
      const encode = this.#encodeMs === undefined ? {} : { encode_ms: this.#encodeMs };
      if (this.#held !== null)
        this.#send({ ...this.#held, usage: event.usage, timing: { ...event.timing, ...encode } });
      return true;
    }
    this.#flush();
    if (event.type === "tokens") {
      this.#send({ index: event.choice, ids: [...event.ids], ...withLogprobs(event.ids, event.logprobs) });
    } else if (event.type === "finish") {
      this.#held = {
        index: event.choice,
        finish_reason: event.reason,
        ...(event.stopTokenId !== null && { stop_token_id: event.stopTokenId }),
      };
    } else {
      this.#send({ error: { code: event.code, message: event.message } });
    }
    return event.type === "error";
  }

  #flush(): void {
    if (this.#held !== null) this.#send(this.#held);
    this.#held = null;
  }

  #send(event: AnswerEventInput): void {
    this.#write(formatEvent(event));
  }
}

function withLogprobs(
  ids: readonly number[],
  logprobs: readonly TokenLogprobs[] | null,
): { logprobs?: { id: number; logprob: number }[][] } {
  if (logprobs === null) return {};
  return {
    logprobs: logprobs.map(({ logprob, top }, index) => [
      { id: ids[index] ?? 0, logprob },
      ...top.map(([id, value]) => ({ id, logprob: value })),
    ]),
  };
}
