import { Hono } from "hono";
import type { OriginContext, OriginEnv } from "../context.ts";

/** `/livez`: the process answers. `/readyz` and `/healthz`: it can serve, and with what. Public, and no secrets in them. */
export function healthRoutes(origin: OriginContext): Hono<OriginEnv> {
  const app = new Hono<OriginEnv>();
  app.get("/livez", (c) => c.json({ status: "ok" }));
  const ready = (): { status: string; releases: unknown[]; in_flight: number } => {
    const releases = origin.serving.ready.map(({ local, engine }) => ({
      release: `${local.release.name}@${local.release.version}`,
      digest: local.digest,
      provider: engine.provider.provider,
      reason: engine.provider.reason,
    }));
    const status = origin.admission.draining ? "draining" : releases.length === 0 ? "loading" : "ready";
    return { status, releases, in_flight: origin.admission.inFlight };
  };
  for (const path of ["/readyz", "/healthz"]) {
    app.get(path, (c) => {
      const state = ready();
      return c.json(state, state.status === "ready" ? 200 : 503);
    });
  }
  return app;
}
