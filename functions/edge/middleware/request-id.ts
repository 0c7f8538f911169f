import { createMiddleware } from "hono/factory";
import type { EdgeEnv } from "../context.ts";

/** What a client may name its request: it comes back in a header and stands in logs. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** Takes the client's `x-request-id` when it is harmless, or makes one, and sends it back on every answer. */
export function requestId() {
  return createMiddleware<EdgeEnv>(async function requestIdMiddleware(c, next) {
    const given = c.req.header("x-request-id");
    const id = given !== undefined && REQUEST_ID.test(given) ? given : crypto.randomUUID();
    c.set("requestId", id);
    c.set("arrivedAt", performance.now());
    await next();
    c.res.headers.set("x-request-id", id);
  });
}
