import type { Settings } from "./settings.ts";

/** What Hono carries through one request. */
export interface EdgeEnv {
  Bindings: Env;
  Variables: {
    requestId: string;
    /** Milliseconds of `performance.now()` at which the request arrived. */
    arrivedAt: number;
    settings: Settings;
    /** The caller's API key, checked. */
    apiKey: string;
  };
}
