import { createMiddleware } from "hono/factory";
import type { EdgeEnv } from "../context.ts";
import { readSettings, type Settings } from "../settings.ts";

/** An isolate has one environment, so its settings are read once; a failure is not kept. */
const known = new WeakMap<object, Promise<Settings>>();

export function settings() {
  return createMiddleware<EdgeEnv>(async function settingsMiddleware(c, next) {
    c.set("settings", await settingsOf(c.env));
    await next();
  });
}

function settingsOf(env: Env): Promise<Settings> {
  const found = known.get(env);
  if (found !== undefined) return found;
  const reading = readSettings(env);
  known.set(env, reading);
  reading.catch(() => known.delete(env));
  return reading;
}
