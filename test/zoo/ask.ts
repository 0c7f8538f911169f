import type OpenAI from "openai";
import * as z from "zod";
import { imageUrl, type ReferenceRequest, type ZooModel } from "./models.ts";

/** What came back for one request. */
export interface Answer {
  readonly prompt_token_ids: readonly number[];
  readonly token_ids: readonly number[];
  readonly text: string;
  readonly finish_reason: string;
  readonly wireBytes: number;
}

const ids = z.array(z.int());

/** What Fovea adds to OpenAI's answers: vLLM's ids, and its own timing. */
const extraSchema = z.object({
  prompt_token_ids: ids.optional(),
  fovea: z.object({ timing: z.object({ wire_bytes: z.number() }) }).optional(),
  choices: z.array(z.object({ token_ids: ids.optional() })),
});

/** Asks one request of a reference through the official client, greedily, 32 tokens at most. */
export async function ask(
  client: OpenAI,
  zooModel: ZooModel,
  { model, request, stream }: { readonly model: string; readonly request: ReferenceRequest; readonly stream: boolean },
): Promise<Answer> {
  const messages = await toMessages(zooModel, request);
  const wanted = { model, messages, temperature: 0, max_tokens: 32, return_token_ids: true };
  if (!stream) {
    const completion = await client.chat.completions.create(wanted);
    const extra = extraSchema.parse(completion);
    const [choice] = completion.choices;
    return {
      prompt_token_ids: extra.prompt_token_ids ?? [],
      token_ids: extra.choices[0]?.token_ids ?? [],
      text: choice?.message.content ?? "",
      finish_reason: choice?.finish_reason ?? "",
      wireBytes: extra.fovea?.timing.wire_bytes ?? 0,
    };
  }
  const answer = { prompt_token_ids: [] as readonly number[], token_ids: [] as number[], text: "", finish_reason: "" };
  let wireBytes = 0;
  for await (const chunk of await client.chat.completions.create({ ...wanted, stream: true })) {
    const extra = extraSchema.parse(chunk);
    answer.prompt_token_ids = extra.prompt_token_ids ?? answer.prompt_token_ids;
    answer.token_ids.push(...(extra.choices[0]?.token_ids ?? []));
    answer.text += chunk.choices[0]?.delta.content ?? "";
    answer.finish_reason = chunk.choices[0]?.finish_reason ?? answer.finish_reason;
    wireBytes = extra.fovea?.timing.wire_bytes ?? wireBytes;
  }
  return { ...answer, wireBytes };
}

async function toMessages(
  zooModel: ZooModel,
  { messages }: ReferenceRequest,
): Promise<OpenAI.ChatCompletionMessageParam[]> {
  return Promise.all(
    messages.map(async ({ role, content }) => {
      const parts = await Promise.all(
        content.map(async (part) =>
          part.type === "text"
            ? { type: "text" as const, text: part.text }
            : { type: "image_url" as const, image_url: { url: await imageUrl(zooModel, part.image) } },
        ),
      );
      if (role === "user") return { role, content: parts };
      return { role, content: parts.flatMap((part) => (part.type === "text" ? [part] : [])) };
    }),
  );
}
