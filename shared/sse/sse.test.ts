import { describe, expect, it } from "vitest";
import { formatEvent } from "./format.ts";
import { parseEventStream } from "./parse.ts";

async function parsed(...chunks: (string | Uint8Array)[]): Promise<string[]> {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
      controller.close();
    },
  });
  const events: string[] = [];
  for await (const event of parseEventStream(body)) events.push(event);
  return events;
}

describe("parseEventStream", () => {
  it("reads what formatEvent writes, at every cut", async () => {
    const text = formatEvent({ a: "é\n😀" }) + formatEvent({ b: 2 });
    const bytes = new TextEncoder().encode(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(await parsed(bytes.slice(0, cut), bytes.slice(cut))).toEqual(['{"a":"é\\n😀"}', '{"b":2}']);
    }
  });

  it("skips comments and other fields, joins data lines, takes CRLF", async () => {
    expect(await parsed(": hi\r\nevent: x\r\ndata: a\r\ndata:b\r\n\r\n")).toEqual(["a\nb"]);
  });

  it("drops an event that was cut short", async () => {
    expect(await parsed("data: a\n\ndata: b\n")).toEqual(["a"]);
  });

  it("refuses an endless line", async () => {
    await expect(parsed("data: ", "x".repeat(1_000_001))).rejects.toThrow(RangeError);
  });
});
