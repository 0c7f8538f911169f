import * as z from "zod";
import { MAX_TOOL_CALL_ID_CHARS, MAX_TOOL_NAME_CHARS, MAX_TOOLS } from "../limits/limits.ts";

/** Functions that a model may call, as the OpenAI chat API has them. */
const name = z
  .string()
  .regex(/^[\w-]+$/, "A function's name has letters, digits, underscores and dashes.")
  .max(MAX_TOOL_NAME_CHARS);

const toolSchema = z.object({
  type: z.literal("function"),
  function: z.object({
    name,
    description: z.string().nullish(),
    /** JSON schema of the arguments; without one the function takes none. */
    parameters: z.record(z.string(), z.unknown()).nullish(),
    strict: z.boolean().nullish(),
  }),
});

export const toolsSchema = z.array(toolSchema).max(MAX_TOOLS);

const named = z.object({ type: z.literal("function"), function: z.object({ name }) });

export const toolChoiceSchema = z.union([
  z.enum(["none", "auto", "required"]),
  named,
  z.object({
    type: z.literal("allowed_tools"),
    allowed_tools: z.object({ mode: z.enum(["auto", "required"]), tools: z.array(named).min(1).max(MAX_TOOLS) }),
  }),
]);

export const toolCallId = z.string().min(1).max(MAX_TOOL_CALL_ID_CHARS);

/** A call in an assistant's message. `arguments` is JSON text, as the model wrote it. */
export const toolCallSchema = z.object({
  id: toolCallId,
  type: z.literal("function"),
  function: z.object({ name, arguments: z.string() }),
});

export type ToolCall = z.output<typeof toolCallSchema>;
