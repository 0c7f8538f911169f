import { Hono } from "hono";
import type { EdgeEnv } from "../context.ts";

/** Public: whether this Worker runs. It asks nothing of the origin or the store, so it cannot be used to load them. */
export const health = new Hono<EdgeEnv>().get("/", (c) =>
  c.json({ status: "ok", version: c.env.VERSION?.id ?? "local" }),
);
