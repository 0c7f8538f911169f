import { ERROR_TABLE, type ErrorCode } from "./table.ts";

/** The body of every error answer, as the OpenAI API has it. */
export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: ErrorCode;
  };
}

interface ErrorOptions {
  /** Which field of the request is at fault, as a path: `messages[0].content[1].image_url`. */
  readonly param?: string;
  readonly cause?: unknown;
  /** When a retry may help: milliseconds until then. */
  readonly retryAfterMs?: number;
}

/**
 * The one error that services throw. The message says what happened and what to do; it reaches the client, so it never
 * holds a path, a key, or any part of an image or a prompt.
 */
export class FoveaError extends Error {
  override readonly name = "FoveaError";
  readonly code: ErrorCode;
  readonly param: string | null;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.param = options.param ?? null;
    this.retryAfterMs = options.retryAfterMs;
  }

  get status(): number {
    return ERROR_TABLE[this.code].status;
  }

  get retryable(): boolean {
    return ERROR_TABLE[this.code].retryable;
  }

  toBody(): ErrorBody {
    const { type } = ERROR_TABLE[this.code];
    return { error: { message: this.message, type, param: this.param, code: this.code } };
  }
}

/** Whatever was thrown, as a FoveaError: a foreign error becomes a plain `internal_error` that says nothing of its inside. */
export function toFoveaError(thrown: unknown): FoveaError {
  if (thrown instanceof FoveaError) return thrown;
  return new FoveaError("internal_error", "Something went wrong on our side. The request can be sent again.", {
    cause: thrown,
  });
}
