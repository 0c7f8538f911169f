/** What was typed is wrong: the message says what to type instead. Printed without a stack. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A whole number in [min, max]. Throws UsageError. */
export function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < min || value > max) {
    throw new UsageError(`--${name} takes a whole number from ${min} to ${max}, not ${text}`);
  }
  return value;
}
