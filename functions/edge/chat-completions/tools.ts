import { FoveaError } from "../../../shared/errors/error.ts";
import { MAX_MESSAGE_DEPTH } from "../../../shared/chat-template/limits.ts";
import type { ChatRequest } from "../../../shared/openai/chat-request.ts";
import type { ChatMessage } from "../../../shared/openai/content.ts";
import type { FunctionTool } from "../../../shared/tool-calls/tool-call.ts";

/** What a request says about tools. */
export interface ToolUse {
  /** What the model is told of. */
  readonly functions: readonly FunctionTool[];
  /** What it may call. */
  readonly callable: readonly FunctionTool[];
  readonly mode: "auto" | "required";
  /** Whether an answer may have several calls. */
  readonly parallel: boolean;
}

const NO_ARGUMENTS = { type: "object", properties: {} };

/**
 * The tools of a request; null when it has none, or chooses none: the model is then told of none.
 * @throws FoveaError `invalid_request` for a choice that names no tool of the request
 */
export function toolUse(request: ChatRequest): ToolUse | null {
  const { tool_choice } = request;
  const functions = (request.tools ?? []).map(({ function: tool }, index): FunctionTool => {
    const parameters = tool.parameters ?? NO_ARGUMENTS;
    if (!isShallow(parameters, MAX_MESSAGE_DEPTH - 8)) {
      throw invalid("The schema is nested too deeply.", `tools[${index}].function.parameters`);
    }
    return { name: tool.name, description: tool.description ?? undefined, parameters, strict: tool.strict ?? false };
  });
  const byName = new Map(functions.map((tool) => [tool.name, tool]));
  if (byName.size < functions.length) throw invalid("Two tools have the same name.", "tools");
  if (tool_choice === "none") return null;
  if (functions.length === 0) {
    if (tool_choice === null || tool_choice === undefined) return null;
    throw invalid("tool_choice needs tools.", "tool_choice");
  }
  const pick = (name: string): FunctionTool => {
    const tool = byName.get(name);
    if (tool === undefined) throw invalid("tool_choice names a function that is not among the tools.", "tool_choice");
    return tool;
  };
  const parallel = request.parallel_tool_calls ?? true;
  if (typeof tool_choice !== "object" || tool_choice === null) {
    return { functions, callable: functions, mode: tool_choice ?? "auto", parallel };
  }
  if (tool_choice.type === "function") {
    return { functions, callable: [pick(tool_choice.function.name)], mode: "required", parallel: false };
  }
  const { mode, tools } = tool_choice.allowed_tools;
  const names = new Set(tools.map(({ function: { name } }) => name));
  return { functions, callable: [...names].map(pick), mode, parallel };
}

/**
 * Each tool message answers a call of an assistant's message before it.
 * @throws FoveaError `invalid_request` for one that does not, and for arguments that are no JSON object
 */
export function checkToolMessages(messages: readonly ChatMessage[]): void {
  const calls = new Set<string>();
  messages.forEach((message, m) => {
    if (message.role === "assistant") {
      message.tool_calls?.forEach(({ id, function: { arguments: text } }, c) => {
        calls.add(id);
        if (callArguments(text) === null) {
          throw invalid("The arguments are no JSON object.", `messages[${m}].tool_calls[${c}].function.arguments`);
        }
      });
    } else if (message.role === "tool" && !calls.has(message.tool_call_id)) {
      throw invalid("No call before this message has this id.", `messages[${m}].tool_call_id`);
    }
  });
}

/** The arguments of a call as templates read them; null when the text is no JSON object. */
export function callArguments(text: string): object | null {
  // What some clients keep of a call without arguments.
  if (text === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** Whether no value lies more than `depth` levels deep: what goes through JSON is walked by recursion. */
export function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isShallow(inner, depth - 1));
}

function invalid(message: string, param: string): FoveaError {
  return new FoveaError("invalid_request", message, { param });
}
