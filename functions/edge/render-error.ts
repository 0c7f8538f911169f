import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type FoveaError, toFoveaError } from "../../shared/errors/error.ts";
import type { EdgeEnv } from "./context.ts";

/** The one place where an error becomes an answer. What is ours to mend is logged, without anything of the request. */
export function renderError(thrown: unknown, c: Context<EdgeEnv>): Response {
  const error = toFoveaError(thrown);
  if (error.status >= 500) logError(error, c.get("requestId"));
  c.header("x-should-retry", String(error.retryable));
  if (error.retryAfterMs !== undefined) {
    c.header("retry-after-ms", String(error.retryAfterMs));
    c.header("retry-after", String(Math.ceil(error.retryAfterMs / 1000)));
  }
  return c.body(JSON.stringify(error.toBody()), error.status as ContentfulStatusCode, {
    "content-type": "application/json",
  });
}

/** A structured line for Workers Logs: code, and the name of what caused it; messages of foreign errors may hold input. */
export function logError(error: FoveaError, requestId: string): void {
  const { cause } = error;
  // oxlint-disable-next-line no-console -- Workers Logs take what a Worker writes to its console
  console.error(
    JSON.stringify({
      level: "error",
      request_id: requestId,
      code: error.code,
      ...("detail" in error && { detail: error.detail }),
      ...(cause instanceof Error && { cause: cause.name, at: cause.stack?.split("\n")[1]?.trim() }),
    }),
  );
}
