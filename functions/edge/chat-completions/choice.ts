import type { TokensEvent } from "../../../shared/frame/answer.ts";
import type { ChoiceLogprobs, FinishReason, TokenLogprob } from "../../../shared/openai/completion.ts";
import type { IncrementalDetokenizer } from "../../../shared/tokenizer/detokenizer.ts";
import type { Tokenizer } from "../../../shared/tokenizer/tokenizer.ts";
import { StopStrings } from "./stop-strings.ts";

/** What one step adds to a choice. */
export interface ChoiceDelta {
  readonly index: number;
  readonly content: string;
  readonly token_ids: readonly number[];
  readonly logprobs: ChoiceLogprobs | null;
}

/** One of the `n` answers while it grows: ids in, text out, until an end token or a stop string. */
export class Choice {
  readonly index: number;
  readonly #tokenizer: Tokenizer;
  readonly #detokenizer: IncrementalDetokenizer;
  readonly #stops: StopStrings;
  #finished: FinishReason | null = null;

  constructor(index: number, tokenizer: Tokenizer, stops: readonly string[]) {
    this.index = index;
    this.#tokenizer = tokenizer;
    this.#detokenizer = tokenizer.detokenizer({ skipSpecialTokens: true });
    this.#stops = new StopStrings(stops);
  }

  get finishReason(): FinishReason | null {
    return this.#finished;
  }

  /** Takes a step's ids. After a stop string it takes no more. */
  push({ ids, logprobs }: TokensEvent): ChoiceDelta {
    let content = "";
    let taken = 0;
    for (const id of ids) {
      if (this.#finished !== null) break;
      taken++;
      const { text, stopped } = this.#stops.push(this.#detokenizer.push(id));
      content += text;
      if (stopped) this.#finished = "stop";
    }
    return {
      index: this.index,
      content,
      token_ids: ids.slice(0, taken),
      logprobs:
        logprobs === undefined
          ? null
          : { content: logprobs.slice(0, taken).map((step) => this.#logprob(step)), refusal: null },
    };
  }

  /** Ends the choice as the origin says, and gives the text that was held back. */
  finish(reason: FinishReason): string {
    if (this.#finished !== null) return "";
    const { text, stopped } = this.#stops.push(this.#detokenizer.end());
    this.#finished = stopped ? "stop" : reason;
    return stopped ? text : text + this.#stops.end();
  }

  #logprob(step: readonly { readonly id: number; readonly logprob: number }[]): TokenLogprob {
    const [chosen, ...alternatives] = step.map(({ id, logprob }) => this.#named(id, logprob));
    if (chosen === undefined) throw new Error("A step without its token.");
    return { ...chosen, top_logprobs: alternatives };
  }

  #named(id: number, logprob: number): Omit<TokenLogprob, "top_logprobs"> {
    const token = this.#tokenizer.decode([id]);
    return { token, logprob: Math.max(logprob, -9999), bytes: [...new TextEncoder().encode(token)] };
  }
}
