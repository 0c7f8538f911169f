import type { ChatMessage as TemplateMessage } from "../../../shared/chat-template/chat-template.ts";
import { FoveaError } from "../../../shared/errors/error.ts";
import { MAX_TEXT_CHARS } from "../../../shared/limits/limits.ts";
import type { ChatRequest } from "../../../shared/openai/chat-request.ts";
import type { ChatMessage, ContentPart } from "../../../shared/openai/content.ts";
import type { EdgeModel } from "../model/edge-model.ts";

/** A run of placeholder ids, and which rows of which picture replace them. */
export interface PlaceholderRun {
  readonly image: number;
  readonly row: number;
  readonly offset: number;
  readonly length: number;
}

export interface Prompt {
  /** I32 `[S]`: the whole prompt, placeholders expanded. */
  readonly token_ids: Int32Array;
  readonly runs: readonly PlaceholderRun[];
}

/**
 * Renders the chat with the release's template, expands each image token to the number of its picture's feature rows, and
 * tokenizes. What users typed can make no control token.
 * @param rows feature rows of each picture
 * @throws FoveaError `invalid_request` when the template refuses the chat
 */
export function buildPrompt(request: ChatRequest, model: EdgeModel, rows: readonly number[]): Prompt {
  const messages = request.messages.map(toTemplateMessage);
  checkTextLength(request.messages);
  const rendered = model.chatTemplate.render(messages, { addGenerationPrompt: true });
  const imageToken = imageTokenOf(model);
  const expanded =
    imageToken === null
      ? rendered
      : rendered.replaceControl(imageToken, (image) => imageToken.repeat(rows[image] ?? 0));
  const token_ids = model.tokenizer.encodePrompt(expanded, { addSpecialTokens: true });
  return { token_ids, runs: placeholderRuns(token_ids, model.config.imageTokenId, rows) };
}

function imageTokenOf({ config, tokenizer }: EdgeModel): string | null {
  return config.imageTokenId === null ? null : (tokenizer.idToToken(config.imageTokenId) ?? null);
}

/** Pictures fill the placeholders in their order, row by row; both must end together. */
export function placeholderRuns(
  token_ids: Int32Array,
  imageTokenId: number | null,
  rows: readonly number[],
): PlaceholderRun[] {
  const runs: PlaceholderRun[] = [];
  let image = 0;
  let row = 0;
  for (let offset = 0; offset < token_ids.length;) {
    if (token_ids[offset] !== imageTokenId) {
      offset++;
      continue;
    }
    let end = offset;
    while (token_ids[end] === imageTokenId) end++;
    while (offset < end) {
      const left = (rows[image] ?? 0) - row;
      if (left <= 0) throw mismatch();
      const length = Math.min(left, end - offset);
      runs.push({ image, row, offset, length });
      offset += length;
      row += length;
      if (row === rows[image]) {
        image++;
        row = 0;
      }
    }
  }
  if (image !== rows.length) throw mismatch();
  return runs;
}

function mismatch(): FoveaError {
  return new FoveaError("invalid_request", "The model's chat template does not take images in these messages.", {
    param: "messages",
  });
}

/** OpenAI's message as templates know it: `developer` is upstream's `system`, pictures become `{type: "image"}`. */
function toTemplateMessage(message: ChatMessage): TemplateMessage {
  const role = message.role === "developer" ? "system" : message.role;
  const { content } = message;
  const rest = message.role === "assistant" && message.tool_calls ? { tool_calls: message.tool_calls } : {};
  if (content === null || content === undefined || typeof content === "string")
    return { role, content: content ?? "", ...rest };
  const parts: readonly ContentPart[] = content;
  // Most templates know lists of parts for pictures only, so text alone goes as a string.
  if (parts.every((part) => part.type === "text"))
    return { role, content: parts.map(({ text }) => text).join(""), ...rest };
  return {
    role,
    content: parts.map((part) => (part.type === "text" ? { type: "text", text: part.text } : { type: "image" })),
    ...rest,
  };
}

function checkTextLength(messages: readonly ChatMessage[]): void {
  let chars = 0;
  for (const { content } of messages) {
    if (typeof content === "string") chars += content.length;
    else for (const part of content ?? []) if (part.type === "text") chars += part.text.length;
  }
  if (chars > MAX_TEXT_CHARS) {
    throw new FoveaError(
      "context_length_exceeded",
      `The messages have ${chars} characters; at most ${MAX_TEXT_CHARS} are taken.`,
      {
        param: "messages",
      },
    );
  }
}
