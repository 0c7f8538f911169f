/** What was typed is wrong: the message says what to type instead. Printed without a stack; exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What was typed is right and cannot be done as things are: a port is taken, nothing runs here. Exit status 1. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
}

/** A whole number in [min, max]. Throws UsageError. */
export function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < min || value > max) {
    throw new UsageError(`--${name} takes a whole number from ${min} to ${max}, not ${text}`);
  }
  return value;
}

/** The name that was meant by one that there is not: at most two letters away. */
export function nearest(typed: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((name) => ({ name, away: distance(typed, name) }))
    .filter(({ name, away }) => away <= Math.min(2, name.length - 1))
    .toSorted((a, b) => a.away - b.away);
  return best?.name;
}

/** Letters to add, drop or change (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
