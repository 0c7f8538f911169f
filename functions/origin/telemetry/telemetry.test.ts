import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { SpanExporter } from "./otlp.ts";
import { parseTraceparent } from "./traceparent.ts";

const header = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
let stop: () => void = () => undefined;
afterEach(() => stop());

describe("parseTraceparent", () => {
  it("reads the W3C form and nothing else", () => {
    expect(parseTraceparent(header)).toEqual({ traceId: "a".repeat(32), spanId: "b".repeat(16), sampled: true });
    expect(parseTraceparent(header.replace(/01$/, "00"))?.sampled).toBe(false);
    const wrong = [
      undefined,
      "",
      header.slice(1),
      `${header}x`,
      header.replaceAll("a", "0"),
      header.replaceAll("b", "0"),
      header.toUpperCase(),
    ];
    for (const one of wrong) expect(parseTraceparent(one)).toBeNull();
  });
});

describe("SpanExporter", () => {
  it("sends a request's spans below the edge's span, and no unsampled ones", async () => {
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => (text += chunk.toString()));
      request.on("end", () => {
        bodies.push(`${request.url ?? ""} ${text}`);
        response.end("{}");
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    stop = () => server.close();
    const { port } = server.address() as AddressInfo;
    const exporter = new SpanExporter(`http://127.0.0.1:${port}/`);
    const parent = parseTraceparent(header);
    if (parent === null) throw new Error("the header is valid");
    const part = { name: "queue", start: 1000, end: 1001.5, attributes: {} };
    exporter.add(parent, { name: "generate", start: 1000, end: 1010, attributes: { steps: 3 } }, [part]);
    exporter.add({ ...parent, sampled: false }, { name: "unseen", start: 0, end: 1, attributes: {} }, []);
    await exporter.flush();
    await exporter.flush();
    expect(bodies).toHaveLength(1);
    expect(bodies[0]).toMatch(/^\/v1\/traces /);
    expect(bodies[0]).toContain(`"parentSpanId":"${"b".repeat(16)}"`);
    expect(bodies[0]).toContain('"endTimeUnixNano":"1001500000"');
    expect(bodies[0]).not.toContain("unseen");
  });
});
