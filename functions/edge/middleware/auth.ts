import { createMiddleware } from "hono/factory";
import { FoveaError } from "../../../shared/errors/error.ts";
import type { EdgeEnv } from "../context.ts";

/** Asks for `Authorization: Bearer <key>` with one of the deployment's keys. */
export function auth() {
  return createMiddleware<EdgeEnv>(async function authMiddleware(c, next) {
    const key = /^Bearer\s+(\S+)\s*$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (key === undefined) {
      throw new FoveaError("invalid_api_key", "No API key was sent. Send it as: Authorization: Bearer YOUR_KEY.");
    }
    if (!(await isOneOf(key, c.get("settings").apiKeys))) {
      throw new FoveaError("invalid_api_key", "The API key is not known.");
    }
    c.set("apiKey", key);
    await next();
  });
}

/** Compares hashes in constant time, and with every key, so that time tells nothing of any of them. */
async function isOneOf(key: string, known: readonly string[]): Promise<boolean> {
  const given = await hash(key);
  const hashes = await Promise.all(known.map(hash));
  return hashes.map((other) => crypto.subtle.timingSafeEqual(given, other)).includes(true);
}

function hash(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}
