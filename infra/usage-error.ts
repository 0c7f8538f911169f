/** What was typed is wrong: the message says what to type instead. Printed without a stack. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
