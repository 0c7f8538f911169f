import type { Backbone } from "../backbones/backbone.ts";
import { readsWhole, type BackboneSpec } from "../backbones/spec.ts";
import type { GenerateRequest } from "./request.ts";
import { BLOCK_TOKENS } from "./kv-budget.ts";
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

/**
 * Tokens after which a chunk ends, where the length of chunks shows in the bits: a float16 cache rounds the rows of a chunk and the next one reads
 * them rounded, and GroupQueryAttention sums in another order at some lengths. With ends at fixed places a prompt is computed in one
 * way only, whatever else runs and whatever of it was cached. Null: anywhere, since all chunks are bit-equal.
 */
export function chunkGrain(
  spec: Pick<BackboneSpec, "layout" | "cacheType" | "entangled" | "attention">,
): number | null {
  if (readsWhole(spec)) return null;
  return spec.cacheType === "float16" || spec.layout !== "merged" ? FIXED_CHUNK_TOKENS : null;
}

/**
 * A multiple of a block's tokens, so that prefixes are taken up where chunks begin: about as many as a slice has time for, or streams would
 * wait longer than they are promised to; fewer cost more, since each call reads all weights.
 */
const FIXED_CHUNK_TOKENS = 3 * BLOCK_TOKENS;

/** Tokens of the next chunk when `left` are left and about `budget` fit: never so that a single one remains. */
export function chunkLength(left: number, budget: number): number {
  const wanted = Math.max(budget, MIN_CHUNK_TOKENS);
  if (left <= wanted) return left;
  const rest = left - wanted;
  if (rest >= MIN_CHUNK_TOKENS) return wanted;
  return wanted > MIN_CHUNK_TOKENS ? wanted - 1 : left;
}

/** The same with ends at fixed places: a single one that would remain goes along. */
export function fixedChunkLength(left: number, grain: number): number {
  return left < grain + MIN_CHUNK_TOKENS ? left : grain;
}
