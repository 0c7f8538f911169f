/** Pictures that this isolate remembers; 64 bytes of hash each. Beyond, the one not asked about longest is forgotten. */
const MAX_KNOWN = 4096;

/**
 * Features that the origin was seen to hold, by contract, feature key and salt. Only a guess: the origin may have dropped
 * them, and then says so. What is remembered are digests, so it belongs to no request.
 */
const known = new Set<string>();

export interface FeatureName {
  readonly contract: string;
  readonly hash: string;
  readonly salt: string;
}

export function isKnownToOrigin(name: FeatureName): boolean {
  const key = keyOf(name);
  if (!known.delete(key)) return false;
  known.add(key);
  return true;
}

export function rememberFeatures(names: readonly FeatureName[]): void {
  for (const name of names) {
    const key = keyOf(name);
    known.delete(key);
    known.add(key);
  }
  for (const oldest of known) {
    if (known.size <= MAX_KNOWN) break;
    known.delete(oldest);
  }
}

export function forgetFeatures(names: readonly FeatureName[]): void {
  for (const name of names) known.delete(keyOf(name));
}

function keyOf({ contract, hash, salt }: FeatureName): string {
  return `${contract} ${hash} ${salt}`;
}
