import type { Context } from "hono";
import { FoveaError } from "../../../shared/errors/error.ts";
import type { EdgeEnv } from "../context.ts";

/** What a path answers to all methods but its own: 405, and which those are (RFC 9110, 15.5.6). */
export function only(methods: "GET, HEAD" | "POST") {
  return (c: Context<EdgeEnv>): never => {
    c.header("allow", methods);
    throw new FoveaError("method_not_allowed", `This path takes ${methods.replace(", ", " and ")} only.`);
  };
}
