import { Hono } from "hono";
import { FoveaError } from "../../../shared/errors/error.ts";
import { chatRequestSchema } from "../../../shared/openai/chat-request.ts";
import { serverTiming } from "../../../shared/openai/timing.ts";
import { EVENT_STREAM_HEADERS } from "../../../shared/sse/format.ts";
import { checkEncoding } from "../body/check-encoding.ts";
import { liftImages, type LiftedBody } from "../body/lift-images.ts";
import { parseJson } from "../body/parse-json.ts";
import { withBody } from "../body/with-body.ts";
import type { EdgeEnv } from "../context.ts";
import { only } from "../middleware/only.ts";
import { completeChat } from "./complete.ts";
import { answerChat } from "./service.ts";
import { Stopwatch } from "./stopwatch.ts";
import { streamChat } from "./stream.ts";
import { takeImages } from "./take-images.ts";

/** `POST /v1/chat/completions`. */
export const chatCompletions = new Hono<EdgeEnv>()
  .post("/", async (c) => {
    const settings = c.get("settings");
    const requestId = c.get("requestId");
    const stopwatch = new Stopwatch(c.get("arrivedAt"), settings.stage === "local");
    const { request, answer } = await withBody(c.req.raw, c.get("apiKey"), async ({ bytes, letGo }) => {
      // After the body: many clients look for an answer only when they have sent everything
      checkEncoding(c.req.raw.headers);
      const lifted = liftBody(bytes);
      const request = parseJson(lifted.text, chatRequestSchema);
      const answer = await answerChat(request, takeImages(request, lifted), {
        env: c.env,
        settings,
        apiKey: c.get("apiKey"),
        requestId,
        traceparent: c.req.header("traceparent"),
        signal: c.req.raw.signal,
        stopwatch,
        letGoBody: letGo,
      });
      return { request, answer };
    });
    c.header("x-fovea-release", answer.release);
    if (request.stream === true) {
      return c.body(streamChat(request, answer, stopwatch, requestId), 200, EVENT_STREAM_HEADERS);
    }
    const completion = await completeChat(request, answer, stopwatch);
    c.header("server-timing", serverTiming(completion.fovea.timing));
    return c.json(completion);
  })
  .all("/", only("POST"));

function liftBody(body: Uint8Array<ArrayBuffer>): LiftedBody {
  try {
    return liftImages(body);
  } catch (cause) {
    if (cause instanceof FoveaError) throw cause;
    throw new FoveaError("invalid_json", "The body is not UTF-8 text.", { cause });
  }
}
