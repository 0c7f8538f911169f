import { env } from "cloudflare:workers";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { RATE_LIMIT_RETRY_MS } from "../../../shared/limits/limits.ts";
import type { EdgeEnv } from "../context.ts";
import { renderError } from "../render-error.ts";
import { auth } from "./auth.ts";
import { settings } from "./settings.ts";

const app = new Hono<EdgeEnv>();
app.use(settings(), auth());
app.get("/", (c) => c.text("in"));
app.onError((error, c) => renderError(error, c));

/** Three requests of a key are in the quota of the tests' own limiter. */
const QUOTA = 3;

function bindings(): Env {
  const variables = { STAGE: "local" as const, CHANNEL: "local" as const, ORIGIN_KEYS: `k:${btoa("0".repeat(32))}` };
  return { ...env, ...variables, ORIGIN_URL: "http://127.0.0.1:8788", API_KEYS: "one,two,three" };
}

function ask(key: string, on: Env): Promise<Response> {
  return Promise.resolve(app.request("/", { headers: { authorization: `Bearer ${key}` } }, on));
}

/** More requests than two quotas, so that some are refused though a new minute may begin between them. */
async function askOften(key: string, on: Env): Promise<Response[]> {
  const answers: Response[] = [];
  for (let i = 0; i <= 2 * QUOTA; i++) answers.push(await ask(key, on));
  return answers;
}

describe("auth", () => {
  it("gives each key a quota of its own", async () => {
    const on = bindings();
    expect(on.RATE_LIMITER).toBeDefined();
    const answers = await askOften("one", on);
    expect(answers.slice(0, QUOTA).map(({ status }) => status)).toEqual([200, 200, 200]);
    const refused = answers.at(-1) ?? Response.error();
    expect([refused.status, refused.headers.get("retry-after"), refused.headers.get("x-should-retry")]).toEqual([
      429,
      String(RATE_LIMIT_RETRY_MS / 1000),
      "true",
    ]);
    expect(await refused.json()).toMatchObject({
      error: { code: "rate_limit_exceeded", type: "rate_limit_error", param: null },
    });
    expect((await ask("two", on)).status).toBe(200);
  });

  it("counts no key that it does not know", async () => {
    const answers = await askOften("unknown", bindings());
    expect(answers.every(({ status }) => status === 401)).toBe(true);
  });

  it("has no quota where no limiter is bound, and shows a limiter the hash of a key alone", async () => {
    const { RATE_LIMITER: _, ...unbound } = bindings();
    expect((await askOften("three", unbound)).every(({ status }) => status === 200)).toBe(true);
    const keys: string[] = [];
    const limiter = { limit: ({ key }: { key: string }) => Promise.resolve({ success: keys.push(key) > 0 }) };
    await ask("three", { ...unbound, RATE_LIMITER: limiter });
    expect(keys).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
  });
});
