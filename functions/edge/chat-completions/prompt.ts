import type { ChatMessage as TemplateMessage } from "../../../shared/chat-template/chat-template.ts";
import { expandImageTokens } from "../../../shared/chat-template/image-tokens/expand.ts";
import type { ImageFeatureGrid } from "../../../shared/chat-template/image-tokens/layout.ts";
import type { PromptText } from "../../../shared/chat-template/prompt-text.ts";
import { FoveaError } from "../../../shared/errors/error.ts";
import type { ProcessedImages } from "../../../shared/image/processors/image-processor.ts";
import { MAX_TEXT_CHARS } from "../../../shared/limits/limits.ts";
import type { ChatRequest } from "../../../shared/openai/chat-request.ts";
import type { ChatMessage, ContentPart } from "../../../shared/openai/content.ts";
import type { ToolCall } from "../../../shared/openai/tools.ts";
import type { EdgeModel } from "../model/edge-model.ts";
import { templateTool } from "../model/tool-call-format.ts";
import { callArguments, checkToolMessages, type ToolUse } from "./tools.ts";

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

/** What the expansion reads of a processed picture: not its pixels. */
export type ProcessedShape = Pick<ProcessedImages, "num_image_tokens" | "shape" | "rows" | "cols">;

/**
 * Renders the chat with the release's template. What users typed can make no control token.
 * @throws FoveaError `invalid_request` when the template refuses the chat, `context_length_exceeded`
 */
export function renderChat(request: ChatRequest, model: EdgeModel, used: ToolUse | null): PromptText {
  const tools = used?.functions.map(templateTool);
  checkTextLength(request.messages, tools);
  checkToolMessages(request.messages);
  const names = new Map(request.messages.flatMap(callsOf).map(({ id, function: { name } }) => [id, name]));
  const messages = request.messages.map((message) => toTemplateMessage(message, model, names));
  return model.chatTemplate.render(messages, { addGenerationPrompt: true, tools });
}

/** What the ids of a prompt depend on. */
export type PromptModel = Pick<EdgeModel, "config" | "imageProcessor" | "imageTokens" | "tokenizer" | "bosToken">;

/** Expands each image token as the family does, to the number of its picture's feature rows, and tokenizes. */
export function buildPrompt(rendered: PromptText, model: PromptModel, images: readonly ProcessedShape[]): Prompt {
  const { imageTokens, tokenizer, config } = model;
  const grids = images.map(gridOf);
  const expanded = imageTokens === null ? rendered : expandImageTokens(rendered, imageTokens, grids);
  const token_ids = tokenizer.encodePrompt(expanded, { addSpecialTokens: addsSpecialTokens(rendered, model) });
  const rows = grids.map(({ features }) => features);
  return { token_ids, runs: placeholderRuns(token_ids, config.imageTokenId, rows) };
}

/**
 * Whether the tokenizer's post-processor adds its tokens. Never to the chat of a text model; with eyes, unless the family
 * writes them itself or the template has written the first of them.
 *
 * Source: transformers, `apply_chat_template` of tokenization_utils_base.py and processing_utils.py.
 */
function addsSpecialTokens(rendered: PromptText, { imageProcessor, imageTokens, bosToken }: PromptModel): boolean {
  if (imageProcessor === null || imageTokens?.writesSpecialTokens === true) return false;
  return bosToken === null || !rendered.startsWithControl(bosToken);
}

/** One picture was processed alone, so that all counts of `processed` are its own. */
function gridOf({ num_image_tokens, shape, rows, cols }: ProcessedShape): ImageFeatureGrid {
  return {
    features: num_image_tokens[0] ?? 0,
    tileRows: rows?.[0] ?? 0,
    tileColumns: cols?.[0] ?? 0,
    frames: shape.slice(0, -3).reduce((product, size) => product * size, 1),
  };
}

/**
 * InstructBLIP's Q-Former reads the rendered prompt through a tokenizer of its own (`qformer_input_ids`); null for families
 * whose encoder reads pictures only.
 * @throws FoveaError `context_length_exceeded` beyond the positions that the Q-Former has
 */
export function qformerInputIds(rendered: PromptText, { qformer }: EdgeModel): readonly number[] | null {
  if (qformer === null) return null;
  const ids = qformer.tokenizer.encodePrompt(rendered, { addSpecialTokens: true });
  if (ids.length > qformer.maxPositions) {
    throw new FoveaError(
      "context_length_exceeded",
      `With a picture this model takes prompts of up to ${qformer.maxPositions} tokens; this one has ${ids.length}.`,
      { param: "messages" },
    );
  }
  return [...ids];
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
function toTemplateMessage(
  message: ChatMessage,
  { contentFormat }: EdgeModel,
  names: ReadonlyMap<string, string>,
): TemplateMessage {
  const role = message.role === "developer" ? "system" : message.role;
  const { content } = message;
  const rest = toolFields(message, names);
  const parts: readonly ContentPart[] =
    typeof content === "string" || content === null || content === undefined
      ? [{ type: "text", text: content ?? "" }]
      : content;
  if (parts.every((part) => part.type === "text") && contentFormat(role) === "text") {
    return { role, content: parts.map(({ text }) => text).join(""), ...rest };
  }
  return {
    role,
    content: parts.map((part) => (part.type === "text" ? { type: "text", text: part.text } : { type: "image" })),
    ...rest,
  };
}

/** What templates read of calls and their results: arguments as an object, and which function a result is of. */
function toolFields(message: ChatMessage, names: ReadonlyMap<string, string>): object {
  if (message.role === "tool") return { tool_call_id: message.tool_call_id, name: names.get(message.tool_call_id) };
  const tool_calls = callsOf(message).map(({ id, type, function: { name, arguments: text } }) => ({
    id,
    type,
    function: { name, arguments: callArguments(text) },
  }));
  return tool_calls.length === 0 ? {} : { tool_calls };
}

function callsOf(message: ChatMessage): readonly ToolCall[] {
  return message.role === "assistant" ? (message.tool_calls ?? []) : [];
}

function checkTextLength(messages: readonly ChatMessage[], tools: readonly object[] = []): void {
  let chars = tools.length === 0 ? 0 : JSON.stringify(tools).length;
  for (const message of messages) {
    const { content } = message;
    if (typeof content === "string") chars += content.length;
    else for (const part of content ?? []) if (part.type === "text") chars += part.text.length;
    for (const { function: called } of callsOf(message)) chars += called.arguments.length;
  }
  if (chars > MAX_TEXT_CHARS) {
    throw new FoveaError(
      "context_length_exceeded",
      `Messages and tools have ${chars} characters; at most ${MAX_TEXT_CHARS} are taken.`,
      {
        param: "messages",
      },
    );
  }
}
