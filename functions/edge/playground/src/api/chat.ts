import * as z from "zod/mini";
import type { FinishReason, FoveaExtension, Usage } from "../../../../../shared/openai/completion.ts";
import { parseEventStream } from "../../../../../shared/sse/parse.ts";
import type { Message } from "../conversation.ts";
import { ApiError, throwUnlessOk } from "./error.ts";

const chunkSchema = z.object({
  choices: z.array(
    z.object({
      delta: z.object({ content: z.nullish(z.string()) }),
      finish_reason: z.nullish(z.enum(["stop", "length", "tool_calls", "content_filter"])),
    }),
  ),
  usage: z.nullish(z.object({ prompt_tokens: z.number(), completion_tokens: z.number(), total_tokens: z.number() })),
  fovea: z.nullish(
    z.object({
      release: z.string(),
      timing: z.object({
        local: z.boolean(),
        total_ms: z.number(),
        wire_bytes: z.number(),
        decode_steps: z.number(),
        spans: z.array(
          z.object({
            name: z.enum(["image_decode", "preprocess", "encode", "tokenize", "wire", "queue", "prefill", "decode"]),
            place: z.enum(["edge", "encoder", "wire", "origin"]),
            start_ms: z.number(),
            duration_ms: z.number(),
          }),
        ),
      }),
    }),
  ),
});

/** What a streamed answer ended with. */
export interface Ending {
  readonly finishReason: FinishReason | undefined;
  readonly usage: Usage | undefined;
  readonly fovea: FoveaExtension | undefined;
}

export interface ChatOptions {
  readonly apiKey: string;
  readonly model: string;
  readonly messages: readonly Message[];
  readonly signal: AbortSignal;
  /** Called with each piece of the answer as it arrives. */
  readonly onText: (text: string) => void;
}

/**
 * `POST /v1/chat/completions`, streamed.
 * @throws ApiError when the API refuses or its stream ends with an error; an AbortError when `signal` fires
 */
export async function streamChat({ apiKey, model, messages, signal, onText }: ChatOptions): Promise<Ending> {
  const response = await fetch("/v1/chat/completions", {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ model, messages, stream: true, stream_options: { include_usage: true }, temperature: 0 }),
    signal,
  });
  await throwUnlessOk(response);
  if (response.body === null) throw new ApiError("The server sent an empty answer. Try again.", response.status);

  let ending: Ending = { finishReason: undefined, usage: undefined, fovea: undefined };
  for await (const data of parseEventStream(response.body)) {
    if (data === "[DONE]") return ending;
    const chunk = readChunk(data, response.status);
    const choice = chunk.choices[0];
    if (choice?.delta.content) onText(choice.delta.content);
    ending = {
      finishReason: choice?.finish_reason ?? ending.finishReason,
      usage: chunk.usage ?? ending.usage,
      fovea: chunk.fovea ?? ending.fovea,
    };
  }
  throw new ApiError("The answer broke off before its end. Ask again.", response.status);
}

function readChunk(data: string, status: number): z.output<typeof chunkSchema> {
  const value: unknown = JSON.parse(data);
  const error = ApiError.from(value, status);
  if (error !== undefined) throw error;
  return chunkSchema.parse(value);
}
