import { TENANT_DIGITS } from "../../../shared/frame/tenant.ts";
import { sha256Hex } from "../../../shared/releases/digest.ts";

/** Digits that keep caches apart. */
const CACHE_DIGITS = 32;

/**
 * The salt of a frame: first the API key's own digits, by which the origin shares out turns (`tenantOf`), then those of key and
 * `cache_salt` together, which separate the caches: nobody can learn by timing what another key has asked.
 */
export async function frameSalt(apiKey: string, cacheSalt: string): Promise<string> {
  const tenant = await hash(`tenant:${apiKey}`);
  const cache = await hash(`${apiKey.length}:${apiKey}${cacheSalt}`);
  return tenant.slice(0, TENANT_DIGITS) + cache.slice(0, CACHE_DIGITS);
}

function hash(text: string): Promise<string> {
  return sha256Hex(new TextEncoder().encode(text));
}
