import type { Backbone } from "../backbones/backbone.ts";
import type { GenerateRequest } from "./request.ts";
import { MIN_CHUNK_TOKENS } from "./prefix-cache.ts";

/** Embeddings `[to - from, hidden]` of a part of the prompt, features in the places of their placeholders. */
export async function embedPrompt(
  backbone: Backbone,
  request: GenerateRequest,
  from: number,
  to: number,
): Promise<Float32Array> {
  const embeds = await backbone.embed(request.tokenIds.subarray(from, to));
  const { hiddenSize } = backbone.spec;
  for (const { offset, length, rows } of request.features) {
    const first = Math.max(offset, from);
    const last = Math.min(offset + length, to);
    if (first >= last) continue;
    const part = rows.subarray((first - offset) * hiddenSize, (last - offset) * hiddenSize);
    embeds.set(part, (first - from) * hiddenSize);
  }
  return embeds;
}

/** Tokens of the next chunk when `left` are left and about `budget` fit: never so that a single one remains. */
export function chunkLength(left: number, budget: number): number {
  const wanted = Math.max(budget, MIN_CHUNK_TOKENS);
  if (left <= wanted) return left;
  const rest = left - wanted;
  if (rest >= MIN_CHUNK_TOKENS) return wanted;
  return wanted > MIN_CHUNK_TOKENS ? wanted - 1 : left;
}
