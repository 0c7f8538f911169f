/** A program, or the weights of one, that must not run. The message says what is wrong with it, for the operator's log. */
export class ProgramError extends Error {
  override readonly name = "ProgramError";
}
