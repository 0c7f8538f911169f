import { MAX_MESSAGE_DEPTH } from "../../../shared/chat-template/limits.ts";
import { FoveaError } from "../../../shared/errors/error.ts";
import type { FrameMetaInput } from "../../../shared/frame/schema.ts";
import { MAX_GRAMMAR_CHARS } from "../../../shared/limits/limits.ts";
import type { ChatRequest } from "../../../shared/openai/chat-request.ts";
import { callGrammar } from "../../../shared/tool-calls/structural-tag.ts";
import type { ToolCallFormat } from "../../../shared/tool-calls/tool-call-format.ts";
import { isShallow, type ToolUse } from "./tools.ts";

/** What the origin holds an answer to. */
export type AnswerGrammar = Pick<FrameMetaInput["sampling"], "json_schema" | "structural_tag">;

/** Tools, and how the model writes calls of them. */
export interface AnswerTools extends ToolUse {
  readonly format: ToolCallFormat;
}

/**
 * The grammar of an answer: of `response_format`, and of calls where the caller chose them, or a function is strict. Other
 * calls are the model's own matter. With tools to choose from, `response_format` holds for answers that are no call; such
 * an answer has one call at most.
 * @throws FoveaError `invalid_request` for schemas that are too large
 */
export function answerGrammar(request: ChatRequest, tools: AnswerTools | null): AnswerGrammar {
  const schema = responseSchema(request);
  if (tools === null)
    return schema === undefined ? {} : { json_schema: bounded(JSON.stringify(schema), "response_format") };
  const { format, functions, callable, mode, parallel } = tools;
  const isFree = mode === "auto" && schema === undefined && callable.length === functions.length;
  if (isFree && callable.every(({ strict }) => !strict)) return {};
  return { structural_tag: bounded(callGrammar(format, callable, { mode, parallel, schema }), "tools") };
}

function responseSchema({ response_format }: ChatRequest): object | undefined {
  if (response_format?.type !== "json_object" && response_format?.type !== "json_schema") return undefined;
  const schema = response_format.type === "json_schema" ? response_format.json_schema.schema : null;
  if (schema === null || schema === undefined) return { type: "object" };
  if (isShallow(schema, MAX_MESSAGE_DEPTH)) return schema;
  throw tooLarge("response_format");
}

function bounded(grammar: string, param: string): string {
  if (grammar.length <= MAX_GRAMMAR_CHARS) return grammar;
  throw tooLarge(param);
}

function tooLarge(param: string): FoveaError {
  const message = `The JSON schemas are too large to hold an answer to them; ${MAX_GRAMMAR_CHARS} characters are taken.`;
  return new FoveaError("invalid_request", message, { param });
}
