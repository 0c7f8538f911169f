import { Hono } from "hono";
import { FoveaError } from "../../shared/errors/error.ts";
import type { OriginContext, OriginEnv } from "./context.ts";
import { generateRoute } from "./generate/route.ts";
import { healthRoutes } from "./health/route.ts";
import { metricsRoute } from "./metrics/route.ts";
import { renderError } from "./render-error.ts";

/** What an edge may name a request: it comes back in a header and stands in logs. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** The origin's HTTP: one signed route, and the public ones that say how it is. */
export function createApp(origin: OriginContext): Hono<OriginEnv> {
  const app = new Hono<OriginEnv>();
  app.use(async function requestId(c, next) {
    const given = c.req.header("x-request-id");
    c.set("requestId", given !== undefined && REQUEST_ID.test(given) ? given : crypto.randomUUID());
    await next();
    c.res.headers.set("x-request-id", c.get("requestId"));
  });
  app.route("/", healthRoutes(origin));
  app.route("/", metricsRoute(origin));
  app.post("/v1/generate", generateRoute(origin));
  app.all("/v1/generate", () => {
    throw new FoveaError("method_not_allowed", "Send a frame with POST.");
  });
  app.notFound((c) => renderError(new FoveaError("not_found", "There is nothing here."), c));
  app.onError(renderError);
  return app;
}
