import type { TokensEvent } from "../../../shared/frame/answer.ts";
import type { ChoiceLogprobs, FinishReason, TokenLogprob, ToolCallDelta } from "../../../shared/openai/completion.ts";
import type { IncrementalDetokenizer } from "../../../shared/tokenizer/detokenizer.ts";
import type { Tokenizer } from "../../../shared/tokenizer/tokenizer.ts";
import { AnswerText, type MessageDelta } from "./answer-text.ts";
import type { AnswerTools } from "./grammar.ts";
import { StopStrings } from "./stop-strings.ts";

/** What one step adds to a choice. */
export interface ChoiceDelta extends MessageDelta {
  readonly index: number;
  readonly token_ids: readonly number[];
  readonly logprobs: ChoiceLogprobs | null;
}

/** One of the `n` answers while it grows: ids in, text out, until an end token or a stop string. */
export class Choice {
  readonly index: number;
  readonly #tokenizer: Tokenizer;
  readonly #detokenizer: IncrementalDetokenizer;
  readonly #stops: StopStrings;
  readonly #text: AnswerText;
  #finished: FinishReason | null = null;

  constructor(index: number, tokenizer: Tokenizer, stops: readonly string[], tools: AnswerTools | null) {
    this.index = index;
    this.#tokenizer = tokenizer;
    const keep = tools?.format.markers ?? [];
    this.#detokenizer = tokenizer.detokenizer({ skipSpecialTokens: true, keep });
    this.#stops = new StopStrings(stops);
    this.#text = new AnswerText(tools);
  }

  get finishReason(): FinishReason | null {
    return this.#finished;
  }

  /** Takes a step's ids. After a stop string, or the only call that is wanted, it takes no more. */
  push({ ids, logprobs }: TokensEvent): ChoiceDelta {
    const deltas: MessageDelta[] = [];
    let taken = 0;
    for (const id of ids) {
      if (this.#finished !== null) break;
      taken++;
      const { text, stopped } = this.#stops.push(this.#detokenizer.push(id));
      deltas.push(this.#text.push(text));
      if (!stopped && !this.#text.full) continue;
      deltas.push(this.#text.end());
      this.#finished = this.#reason("stop");
    }
    return {
      index: this.index,
      ...joined(deltas),
      token_ids: ids.slice(0, taken),
      logprobs:
        logprobs === undefined
          ? null
          : { content: logprobs.slice(0, taken).map((step) => this.#logprob(step)), refusal: null },
    };
  }

  /** Ends the choice as the origin says, and gives what was held back. */
  finish(reason: FinishReason): MessageDelta {
    if (this.#finished !== null) return joined([]);
    const last = this.#stops.push(this.#detokenizer.end());
    const held = last.stopped ? { text: "", stopped: true } : this.#stops.end();
    const delta = joined([this.#text.push(last.text + held.text), this.#text.end()]);
    this.#finished = this.#reason(held.stopped ? "stop" : reason);
    return delta;
  }

  #reason(reason: FinishReason): FinishReason {
    return reason === "stop" && this.#text.calls > 0 ? "tool_calls" : reason;
  }

  #logprob(step: readonly { readonly id: number; readonly logprob: number }[]): TokenLogprob {
    const [chosen, ...alternatives] = step.map(({ id, logprob }) => this.#named(id, logprob));
    if (chosen === undefined) throw new Error("A step without its token.");
    return { ...chosen, top_logprobs: alternatives };
  }

  #named(id: number, logprob: number): Omit<TokenLogprob, "top_logprobs"> {
    const token = this.#tokenizer.decode([id]);
    // A part of a character is U+FFFD as text; clients join bytes
    return { token, logprob: Math.max(logprob, -9999), bytes: [...this.#tokenizer.bytesOf(id)] };
  }
}

/** Several deltas as one; pieces of one call's arguments become one piece. */
function joined(deltas: readonly MessageDelta[]): MessageDelta {
  const calls = new Map<number, ToolCallDelta>();
  for (const delta of deltas.flatMap(({ tool_calls }) => tool_calls)) {
    const before = calls.get(delta.index);
    const text = (before?.function.arguments ?? "") + delta.function.arguments;
    calls.set(delta.index, { ...(before ?? delta), function: { ...(before ?? delta).function, arguments: text } });
  }
  return { content: deltas.map(({ content }) => content).join(""), tool_calls: [...calls.values()] };
}
