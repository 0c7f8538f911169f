import { createMiddleware } from "hono/factory";
import { FoveaError } from "../../../shared/errors/error.ts";
import type { EdgeEnv } from "../context.ts";

const ALLOWED_METHODS = "GET, POST, OPTIONS";
/** The official client sends a dozen `x-stainless-*` headers, so a preflight is answered with what it asked for. */
const ALLOWED_HEADER = /^[a-z0-9-]{1,64}$/;
const MAX_ALLOWED_HEADERS = 64;
const EXPOSED_HEADERS = "x-request-id, x-fovea-release, server-timing, retry-after, retry-after-ms, x-should-retry";
const PREFLIGHT_SECONDS = "7200";

/**
 * CORS for web apps (Fetch standard, "CORS protocol"): origins from the settings' allow-list; the page's own origin is no
 * cross-origin request and needs none. Preflights are answered here, before authentication, which they cannot carry.
 */
export function cors() {
  return createMiddleware<EdgeEnv>(async function corsMiddleware(c, next) {
    const origin = c.req.header("origin");
    const sameOrigin = origin === new URL(c.req.url).origin;
    if (origin === undefined || sameOrigin) return next();
    const { allowedOrigins } = c.get("settings");
    if (!allowedOrigins.includes(origin) && !allowedOrigins.includes("*")) {
      throw new FoveaError("origin_not_allowed", "This origin may not call the API. Add it to ALLOWED_ORIGINS.");
    }
    if (c.req.method === "OPTIONS") return preflight(origin, c.req.header("access-control-request-headers") ?? "");
    c.header("access-control-allow-origin", origin);
    c.header("access-control-expose-headers", EXPOSED_HEADERS);
    c.header("vary", "Origin");
    return next();
  });
}

function preflight(origin: string, wanted: string): Response {
  const headers = wanted
    .toLowerCase()
    .split(",", MAX_ALLOWED_HEADERS)
    .map((name) => name.trim())
    .filter((name) => ALLOWED_HEADER.test(name));
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-origin": origin,
      "access-control-allow-methods": ALLOWED_METHODS,
      "access-control-allow-headers": headers.join(", "),
      "access-control-max-age": PREFLIGHT_SECONDS,
      vary: "Origin, Access-Control-Request-Headers",
    },
  });
}
