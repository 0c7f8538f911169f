import * as z from "zod/mini";

const errorBody = z.object({ error: z.object({ message: z.string(), code: z.nullish(z.string()) }) });

/** What the API said when it did not answer; `message` is written for people. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string | undefined;

  constructor(message: string, status: number, code?: string) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** The error object of an OpenAI-shaped body, or undefined if the value is none. */
  static from(value: unknown, status: number): ApiError | undefined {
    const parsed = errorBody.safeParse(value);
    if (!parsed.success) return undefined;
    const { message, code } = parsed.data.error;
    return new ApiError(message, status, code ?? undefined);
  }
}

/** Throws the API's own words for every answer that is not 2xx. */
export async function throwUnlessOk(response: Response): Promise<void> {
  if (response.ok) return;
  const body: unknown = await response.json().catch(() => undefined);
  throw (
    ApiError.from(body, response.status) ??
    new ApiError(`The server answered ${response.status} and gave no reason. Try again.`, response.status)
  );
}
