import { sha256Hex } from "./digest.ts";
import type { ChannelDocument } from "./channel.ts";
import type { ReleaseRef } from "./release.ts";

/** Fractions of a caller's hash: 2^32 steps, so a percentage is met to far below one caller. */
const STEPS = 2 ** 32;

/**
 * Which release a caller gets: the canary when the caller's hash falls below the percentage, else the stable one.
 * Pure and monotone: raising the percentage moves callers to the canary and never back, and a caller stays where it is
 * for as long as the document does.
 */
export function pickRelease(document: ChannelDocument, callerHash: number): ReleaseRef & { readonly canary: boolean } {
  const { canary, stable } = document;
  if (canary !== null && callerHash < (canary.percent / 100) * STEPS) return { ...canary.release, canary: true };
  return { ...stable, canary: false };
}

/**
 * A caller's place in 0 .. 2^32 - 1: sha256 over the model, the API key's id and the end user (`safety_identifier`, else
 * `user`), each with its length in front so that no two pairs read alike. The model is in it so that the same callers are
 * not the canary of every model.
 */
export async function callerHash(model: string, keyId: string, endUser: string | null): Promise<number> {
  const parts = [model, keyId, endUser ?? ""].map((part) => `${part.length}:${part}`);
  return Number.parseInt((await sha256Hex(new TextEncoder().encode(parts.join("")))).slice(0, 8), 16);
}
