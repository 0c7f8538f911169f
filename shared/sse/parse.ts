/** Characters of one event. The origin's largest, 20 logprobs of each of 8 choices, has about 10,000. */
const MAX_EVENT_CHARS = 1_000_000;

/**
 * The `data` of each event of a stream (WHATWG HTML, 9.2.6 "Interpreting an event stream"), as far as the origin writes
 * it: LF or CRLF lines, several `data` lines joined, comments and other fields skipped. What stands behind the last
 * blank line is an event cut short, and is dropped as the standard says.
 * @throws RangeError when one event is too long
 */
export async function* parseEventStream(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  let data: string[] = [];
  let size = 0;
  for await (const chunk of chunksOf(body)) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const ended of lines) {
      const line = ended.endsWith("\r") ? ended.slice(0, -1) : ended;
      if (line.startsWith("data:")) {
        data.push(line.slice(line.startsWith("data: ") ? 6 : 5));
        size += line.length;
      } else if (line === "" && data.length > 0) {
        yield data.join("\n");
        data = [];
        size = 0;
      }
    }
    if (rest.length + size > MAX_EVENT_CHARS) throw new RangeError("An event is too long.");
  }
}

/** Reads through a reader, so that leaving the loop cancels the stream everywhere. */
async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
