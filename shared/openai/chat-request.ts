import * as z from "zod";
import {
  MAX_LOGIT_BIAS,
  MAX_MESSAGES,
  MAX_STOP_CHARS,
  MAX_STOP_STRINGS,
  MIN_REPETITION_PENALTY,
} from "../limits/limits.ts";
import { messageSchema } from "./content.ts";
import { toolChoiceSchema, toolsSchema } from "./tools.ts";

const stopString = z.string().min(1).max(MAX_STOP_CHARS);

/**
 * `POST /v1/chat/completions`, as the OpenAI API reference has it, and vLLM's extensions under vLLM's names. `null` is
 * the same as absent; keys that are not here are ignored.
 */
export const chatRequestSchema = z.object({
  model: z.string().min(1).max(256),
  messages: z.array(messageSchema).min(1).max(MAX_MESSAGES),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  /** Wins over `max_tokens`, which OpenAI deprecates in its favour. */
  max_completion_tokens: z.int().min(1).nullish(),
  max_tokens: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  seed: z.int().nullish(),
  stop: z.union([stopString, z.array(stopString).max(MAX_STOP_STRINGS)]).nullish(),
  n: z.int().min(1).max(8).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  logit_bias: z
    .record(z.string().regex(/^\d{1,9}$/), z.number().min(-100).max(100))
    .refine((bias) => Object.keys(bias).length <= MAX_LOGIT_BIAS, `has more than ${MAX_LOGIT_BIAS} tokens`)
    .nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  user: z.string().max(512).nullish(),
  safety_identifier: z.string().max(512).nullish(),
  response_format: z
    .discriminatedUnion("type", [
      z.object({ type: z.literal("text") }),
      z.object({ type: z.literal("json_object") }),
      z.object({
        type: z.literal("json_schema"),
        /** Without a schema any JSON object will do. */
        json_schema: z.object({ name: z.string().max(64), schema: z.record(z.string(), z.unknown()).nullish() }),
      }),
    ])
    .nullish(),
  tools: toolsSchema.nullish(),
  tool_choice: toolChoiceSchema.nullish(),
  /** `false`: an answer has one call at most. */
  parallel_tool_calls: z.boolean().nullish(),
  // vLLM's extensions
  top_k: z.int().min(-1).max(1_048_576).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repetition_penalty: z.number().min(MIN_REPETITION_PENALTY).max(10).nullish(),
  ignore_eos: z.boolean().nullish(),
  priority: z.int().min(-100).max(100).nullish(),
  cache_salt: z.string().min(1).max(256).nullish(),
  return_token_ids: z.boolean().nullish(),
});

export type ChatRequest = z.output<typeof chatRequestSchema>;
