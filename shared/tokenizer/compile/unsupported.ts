/** A part of a tokenizer.json that the compiler lacks or that is broken. Publishing stops here, so no wrong id is ever served. */
export class TokenizerCompileError extends Error {
  override readonly name = "TokenizerCompileError";

  constructor(path: string, what: string) {
    super(`tokenizer.json: ${path}: ${what}`);
  }
}
