import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** What the server does with one GET instead of answering it well; false lets it answer well. */
export type Fault = (request: IncomingMessage, response: ServerResponse, bytes: Uint8Array | undefined) => boolean;

/** An S3 server for tests: GET with ranges over a map, well or as badly as a test asks for. */
export interface FaultyS3 {
  readonly endpoint: string;
  readonly objects: Map<string, Uint8Array>;
  fault: Fault;
  /** `key` or `key @offset`, in the order of arrival. */
  readonly requests: string[];
  peakInFlight: number;
  close(): Promise<void>;
}

export async function startFaultyS3(bucket: string): Promise<FaultyS3> {
  const objects = new Map<string, Uint8Array>();
  let inFlight = 0;
  const server = createServer((request, response) => {
    const key = decodeURIComponent(new URL(request.url ?? "", "http://s3").pathname.slice(bucket.length + 2));
    const offset = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    s3.requests.push(offset === 0 ? key : `${key} @${offset}`);
    inFlight += 1;
    s3.peakInFlight = Math.max(s3.peakInFlight, inFlight);
    response.on("close", () => (inFlight -= 1));
    const bytes = objects.get(key);
    if (s3.fault(request, response, bytes)) return;
    if (bytes === undefined) {
      response.writeHead(404, { "content-type": "application/xml" });
      response.end("<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>");
      return;
    }
    const body = bytes.subarray(offset);
    const status = offset === 0 ? 200 : 206;
    response.writeHead(status, {
      "content-length": body.length,
      ...(offset === 0 ? {} : { "content-range": `bytes ${offset}-${bytes.length - 1}/${bytes.length}` }),
    });
    response.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const s3: FaultyS3 = {
    endpoint: `http://127.0.0.1:${address.port}`,
    objects,
    fault: () => false,
    requests: [],
    peakInFlight: 0,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return s3;
}
