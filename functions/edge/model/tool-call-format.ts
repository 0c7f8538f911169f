import type { ChatMessage, ChatTemplate } from "../../../shared/chat-template/chat-template.ts";
import { FoveaError } from "../../../shared/errors/error.ts";
import {
  chooseToolCallFormat,
  PROBE_ARGUMENTS,
  PROBE_TOOL,
  type ToolProbe,
} from "../../../shared/tool-calls/choose-format.ts";
import type { FunctionTool } from "../../../shared/tool-calls/tool-call.ts";
import type { ToolCallFormat } from "../../../shared/tool-calls/tool-call-format.ts";
import type { ContentFormats } from "./content-format.ts";

const QUESTION = "FOVEA?";

/** A tool as chat templates know it: `strict` is not for the model's eyes. */
export function templateTool({ name, description, parameters }: FunctionTool): object {
  return { type: "function", function: { name, ...(description !== undefined && { description }), parameters } };
}

/**
 * How the model of a template writes tool calls. Nothing in a release says so, so its template is tried with a tool and a
 * call of it, when the first request with tools comes.
 * @throws FoveaError `invalid_request` when the template takes no tools: an answer that ignores them would look right
 */
export function toolCallFormats(template: ChatTemplate, contentFormat: ContentFormats): () => ToolCallFormat {
  let known: ToolCallFormat | null | undefined;
  return () => {
    known ??= chooseToolCallFormat(tryTools(template, contentFormat));
    if (known !== null) return known;
    throw new FoveaError(
      "invalid_request",
      "This model's chat template takes no tools, or writes calls in a way that is not known here. Send the request without tools.",
      { param: "tools" },
    );
  };
}

function tryTools(template: ChatTemplate, contentFormat: ContentFormats): ToolProbe {
  const content = contentFormat("user") === "text" ? QUESTION : [{ type: "text" as const, text: QUESTION }];
  const question: ChatMessage = { role: "user", content };
  const call = { id: "fovea0000", type: "function", function: { name: PROBE_TOOL.name, arguments: PROBE_ARGUMENTS } };
  const answer: ChatMessage = { role: "assistant", content: "", tool_calls: [call] };
  const render = (messages: readonly ChatMessage[], addGenerationPrompt: boolean): string | null => {
    try {
      return template.render(messages, { addGenerationPrompt, tools: [templateTool(PROBE_TOOL)] }).text;
    } catch {
      return null;
    }
  };
  const described = render([question], true);
  const whole = render([question, answer], false);
  if (whole === null || described === null) return { described, called: null };
  // Some templates open the turn in another way when it is to be written than when it was.
  const start = whole.startsWith(described) ? described.length : whole.lastIndexOf(QUESTION) + QUESTION.length;
  return { described, called: whole.slice(start) };
}
