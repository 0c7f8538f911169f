/** One event with JSON as its data, which never holds a line break. */
export function formatEvent(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

/** The end of a stream, as OpenAI clients wait for it. */
export const DONE_EVENT = "data: [DONE]\n\n";

export const EVENT_STREAM_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
} as const;
