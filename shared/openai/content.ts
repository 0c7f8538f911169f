import * as z from "zod";
import { MAX_TOOLS } from "../limits/limits.ts";
import { toolCallId, toolCallSchema } from "./tools.ts";

/** Parts of a message, as the OpenAI chat API has them. Unknown keys are ignored, as clients expect. */
const textPart = z.object({ type: z.literal("text"), text: z.string() });
const imagePart = z.object({
  type: z.literal("image_url"),
  image_url: z.object({
    url: z.string(),
    detail: z.enum(["auto", "low", "high"]).nullish(),
  }),
});

/** What an assistant refused with is text that it wrote. */
const refusalPart = z
  .object({ type: z.literal("refusal"), refusal: z.string() })
  .transform(({ refusal }) => ({ type: "text" as const, text: refusal }));

const textContent = z.union([z.string(), z.array(textPart).min(1)]);
const assistantContent = z.union([z.string(), z.array(z.discriminatedUnion("type", [textPart, refusalPart])).min(1)]);
const mixedContent = z.union([z.string(), z.array(z.discriminatedUnion("type", [textPart, imagePart])).min(1)]);

export const messageSchema = z.discriminatedUnion("role", [
  z.object({ role: z.literal("system"), content: textContent }),
  z.object({ role: z.literal("developer"), content: textContent }),
  z.object({ role: z.literal("user"), content: mixedContent }),
  z.object({
    role: z.literal("assistant"),
    content: assistantContent.nullish(),
    tool_calls: z.array(toolCallSchema).max(MAX_TOOLS).nullish(),
  }),
  z.object({ role: z.literal("tool"), content: textContent, tool_call_id: toolCallId }),
]);

export type ChatMessage = z.output<typeof messageSchema>;
export type ContentPart = z.output<typeof textPart> | z.output<typeof imagePart>;
