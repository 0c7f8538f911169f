import type { ChatMessage as TemplateMessage } from "../../../shared/chat-template/chat-template.ts";
import type { PromptText } from "../../../shared/chat-template/prompt-text.ts";
import { FoveaError } from "../../../shared/errors/error.ts";
import { MAX_TEXT_CHARS } from "../../../shared/limits/limits.ts";
import type { ChatRequest } from "../../../shared/openai/chat-request.ts";
import type { ChatMessage, ContentPart } from "../../../shared/openai/content.ts";
import type { ToolCall } from "../../../shared/openai/tools.ts";
import type { EdgeModel } from "../model/edge-model.ts";
import { templateTool } from "../model/tool-call-format.ts";
import { callArguments, checkToolMessages, type ToolUse } from "./tools.ts";

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
