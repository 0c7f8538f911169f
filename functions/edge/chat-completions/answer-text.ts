import type { ToolCallDelta } from "../../../shared/openai/completion.ts";
import type { ToolCallPart } from "../../../shared/tool-calls/tool-call.ts";
import { ToolCallParser } from "../../../shared/tool-calls/tool-call-parser.ts";
import type { AnswerTools } from "./grammar.ts";

/** What a piece of text adds to a message. */
export interface MessageDelta {
  readonly content: string;
  readonly tool_calls: readonly ToolCallDelta[];
}

/** Letters and digits of an id after `call_`, as the OpenAI API has them. */
const ID_LENGTH = 24;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Tells the tool calls in the text of one answer from its content. */
export class AnswerText {
  readonly #tools: AnswerTools | null;
  readonly #parser: ToolCallParser | null;
  #calls = 0;
  #full = false;

  constructor(tools: AnswerTools | null) {
    this.#tools = tools;
    this.#parser = tools === null ? null : new ToolCallParser(tools.format, tools.functions);
  }

  /** Calls that have begun. */
  get calls(): number {
    return this.#calls;
  }

  /** Whether the answer has the one call that it may have. */
  get full(): boolean {
    return this.#full;
  }

  push(text: string): MessageDelta {
    if (this.#parser === null) return { content: text, tool_calls: [] };
    return this.#delta(this.#parser.push(text));
  }

  end(): MessageDelta {
    return this.#delta(this.#parser?.end() ?? []);
  }

  #delta(parts: readonly ToolCallPart[]): MessageDelta {
    let content = "";
    const tool_calls: ToolCallDelta[] = [];
    for (const part of parts) {
      if (this.#full) break;
      if (part.type === "content") content += part.text;
      else if (part.type === "call") {
        const id = callId(this.#tools?.format.idLength);
        tool_calls.push({
          index: this.#calls++,
          id,
          type: "function",
          function: { name: part.name, arguments: "" },
        });
      } else if (part.type === "arguments") {
        tool_calls.push({ index: this.#calls - 1, function: { arguments: part.text } });
      } else this.#full = this.#tools?.parallel === false;
    }
    return { content, tool_calls };
  }
}

function callId(length: number | undefined): string {
  const random = crypto.getRandomValues(new Uint8Array(length ?? ID_LENGTH));
  const letters = Array.from(random, (byte) => ALPHABET.charAt(byte % ALPHABET.length)).join("");
  return length === undefined ? `call_${letters}` : letters;
}
