import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import type { Bundle } from "../../infra/local/bundle.ts";

/** An encoder that answers at once with features of zeros: what is left is the edge's own time. */
const ENCODER = `
import { WorkerEntrypoint } from "cloudflare:workers";
export default class extends WorkerEntrypoint {
  encode() {
    const image_features = new Uint16Array(16 * 256);
    return { ok: { image_features, rows: 16, width: 256, runtime: "stub", load_ms: 0, encode_ms: 0 } };
  }
}`;

/** Takes the place of the encoder's bundle. */
export function stubEncoder(name: string, bundle: Bundle): Promise<Bundle> {
  if (name !== "encoder") return Promise.resolve(bundle);
  const module = { type: "ESModule" as const, path: `${bundle.directory}/stub.js`, contents: ENCODER };
  return Promise.resolve({ directory: bundle.directory, modules: [module] });
}

/** An origin that reads the frame and answers at once with one token and the end. */
export function stubOrigin(): Promise<{ server: Server; url: string }> {
  const answer = [
    { ids: [9] },
    {
      finish_reason: "stop",
      usage: { prompt_tokens: 1, completion_tokens: 1 },
      timing: { queue_ms: 0, prefill_ms: 0, decode_ms: 0, steps: 1 },
    },
  ];
  const body = answer.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.writeHead(200, { "content-type": "text/event-stream" }).end(body));
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve({ server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    });
  });
}

/** Workers that do nothing: one answers, one reads the body and hands it to the origin. */
export function emptyWorker(originUrl: string, relay: boolean): Miniflare {
  const contents = relay
    ? `export default { async fetch(request) {
         const answer = await fetch("${originUrl}", { method: "POST", body: await request.arrayBuffer() });
         return new Response(await answer.text());
       } }`
    : `export default { async fetch(request) { await request.arrayBuffer(); return new Response("{}"); } }`;
  const modules = [{ type: "ESModule" as const, path: "empty.js", contents }];
  return new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      telemetry: { enabled: false },
      workers: [{ name: "empty", modules, compatibilityDate: "2026-10-01" }],
    }),
  );
}
