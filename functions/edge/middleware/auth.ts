import { createMiddleware } from "hono/factory";
import { FoveaError } from "../../../shared/errors/error.ts";
import { RATE_LIMIT_RETRY_MS } from "../../../shared/limits/limits.ts";
import type { EdgeEnv } from "../context.ts";

/**
 * Asks for `Authorization: Bearer <key>` with one of the deployment's keys, of which each has its quota where the deployment binds a
 * RATE_LIMITER. Only known keys are counted, so that nobody can fill the limiter with made-up ones.
 */
export function auth() {
  return createMiddleware<EdgeEnv>(async function authMiddleware(c, next) {
    const key = /^Bearer\s+(\S+)\s*$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (key === undefined) {
      throw new FoveaError("invalid_api_key", "No API key was sent. Send it as: Authorization: Bearer YOUR_KEY.");
    }
    const given = await hash(key);
    if (!(await isOneOf(given, c.get("settings").apiKeys))) {
      throw new FoveaError("invalid_api_key", "The API key is not known.");
    }
    // Its hash names it: the key itself is given to no other service
    const quota = await c.env.RATE_LIMITER?.limit({ key: new Uint8Array(given).toHex() });
    if (quota?.success === false) {
      throw new FoveaError("rate_limit_exceeded", "This API key has made too many requests. Try again soon.", {
        retryAfterMs: RATE_LIMIT_RETRY_MS,
      });
    }
    c.set("apiKey", key);
    await next();
  });
}

/** Compares hashes in constant time, and with every key, so that time tells nothing of any of them. */
async function isOneOf(given: ArrayBuffer, known: readonly string[]): Promise<boolean> {
  const hashes = await Promise.all(known.map(hash));
  return hashes.map((other) => crypto.subtle.timingSafeEqual(given, other)).includes(true);
}

function hash(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}
