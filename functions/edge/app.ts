import { Hono } from "hono";
import { FoveaError } from "../../shared/errors/error.ts";
import { chatCompletions } from "./chat-completions/route.ts";
import type { EdgeEnv } from "./context.ts";
import { health } from "./health/route.ts";
import { auth } from "./middleware/auth.ts";
import { cors } from "./middleware/cors.ts";
import { requestId } from "./middleware/request-id.ts";
import { settings } from "./middleware/settings.ts";
import { models } from "./models/route.ts";
import { renderError } from "./render-error.ts";

/** Public are `/healthz` and the playground's files; everything below `/v1` asks for a key, known path or not. */
export const app = new Hono<EdgeEnv>();
app.use(requestId());
app.route("/healthz", health);
app.use("/v1/*", settings(), cors(), auth());
app.route("/v1/chat/completions", chatCompletions);
app.route("/v1/models", models);
app.notFound((c) => renderError(new FoveaError("not_found", "There is nothing at this path."), c));
app.onError((error, c) => renderError(error, c));
