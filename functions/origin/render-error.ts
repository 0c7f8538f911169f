import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { toFoveaError } from "../../shared/errors/error.ts";
import type { OriginEnv } from "./context.ts";
import { FeaturesMissing } from "./generate/to-request.ts";
import { log } from "./log.ts";

/** The one place where an error becomes an answer. What is ours to mend is logged, without anything of the request. */
export function renderError(thrown: unknown, c: Context<OriginEnv>): Response {
  const error = toFoveaError(thrown);
  const cause = error.cause instanceof Error ? error.cause : null;
  if (error.status >= 500 && error.code !== "overloaded") {
    log("error", "request_failed", {
      request_id: c.get("requestId"),
      code: error.code,
      cause: cause?.name,
      at: where(cause),
    });
  }
  c.header("x-should-retry", String(error.retryable));
  if (error.retryAfterMs !== undefined) {
    c.header("retry-after-ms", String(error.retryAfterMs));
    c.header("retry-after", String(Math.ceil(error.retryAfterMs / 1000)));
  }
  const body = error.toBody();
  const missing = error instanceof FeaturesMissing ? { missing: error.hashes } : {};
  return c.json({ ...body, ...missing }, error.status as ContentfulStatusCode);
}

/** The first line of a stack that names a place in the source: for the operator's log, never for an answer. */
function where(error: Error | null): string | undefined {
  return error?.stack?.split("\n")[1]?.trim();
}
