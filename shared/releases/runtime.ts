import type { Release } from "./schema.ts";

/** The version of the code that reads releases. A manifest that needs newer code names it in `minimumRuntime`. */
export const RUNTIME_VERSION = "0.2.0";

/** The oldest code that knows all members of these stages: `prompt` came with 0.2.0. */
export function runtimeFor(stages: Release["stages"]): string {
  return Object.values(stages).some(({ prompt }) => prompt !== undefined) ? "0.2.0" : "0.1.0";
}

/** Compares dotted triples by number. Anything else is not "at least" (a hostile string is refused, not read). */
export function isRuntimeAtLeast(have: string, want: string): boolean {
  const a = triple(have);
  const b = triple(want);
  if (a === null || b === null) return false;
  for (let i = 0; i < 3; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function triple(version: string): readonly number[] | null {
  const match = /^(\d{1,5})\.(\d{1,5})\.(\d{1,5})$/.exec(version);
  return match === null ? null : match.slice(1).map(Number);
}
