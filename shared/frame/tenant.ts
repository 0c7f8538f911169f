/** Digits of a cache salt that stand for the API key alone. */
export const TENANT_DIGITS = 16;

/**
 * Who asks, by the salt of a frame: turns are shared out between tenants. A client chooses its `cache_salt`, so nothing that
 * it can choose may be in here: with a new salt for each request it would be a new tenant each time, and always first.
 */
export function tenantOf(salt: string): string {
  return salt.slice(0, TENANT_DIGITS);
}
