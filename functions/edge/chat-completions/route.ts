import { Hono } from "hono";
import { FoveaError } from "../../../shared/errors/error.ts";
import { MAX_REQUEST_BODY_BYTES } from "../../../shared/limits/limits.ts";
import { chatRequestSchema } from "../../../shared/openai/chat-request.ts";
import { serverTiming } from "../../../shared/openai/timing.ts";
import { EVENT_STREAM_HEADERS } from "../../../shared/sse/format.ts";
import type { EdgeEnv } from "../context.ts";
import { parseJson } from "../parse-json.ts";
import { readBody } from "../read-body.ts";
import { completeChat } from "./complete.ts";
import { answerChat } from "./service.ts";
import { Stopwatch } from "./stopwatch.ts";
import { streamChat } from "./stream.ts";

/** `POST /v1/chat/completions`. */
export const chatCompletions = new Hono<EdgeEnv>()
  .post("/", async (c) => {
    const settings = c.get("settings");
    const requestId = c.get("requestId");
    const stopwatch = new Stopwatch(c.get("arrivedAt"), settings.stage === "local");
    const request = parseJson(await readBody(c.req.raw, MAX_REQUEST_BODY_BYTES), chatRequestSchema);
    const answer = await answerChat(request, {
      env: c.env,
      settings,
      apiKey: c.get("apiKey"),
      requestId,
      traceparent: c.req.header("traceparent"),
      signal: c.req.raw.signal,
      stopwatch,
    });
    c.header("x-fovea-release", answer.release);
    if (request.stream === true) {
      return c.body(streamChat(request, answer, stopwatch, requestId), 200, EVENT_STREAM_HEADERS);
    }
    const completion = await completeChat(request, answer, stopwatch);
    c.header("server-timing", serverTiming(completion.fovea.timing));
    return c.json(completion);
  })
  .all("/", () => {
    throw new FoveaError("method_not_allowed", "Send POST to this path.");
  });
