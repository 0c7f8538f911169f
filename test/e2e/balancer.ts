import { once } from "node:events";
import { createServer, request as httpRequest, type ServerResponse } from "node:http";

/** One address in front of several origins, as a load balancer is. */
export interface Balancer {
  /** Sends new requests to these ports, in turn; settles when nothing is under way at any other. */
  use(ports: readonly number[]): Promise<void>;
  /** How often an origin answered 409 with this code. */
  refusals(code: string): number;
  close(): Promise<void>;
}

/** Listens on loopback. The host that a request names stays as it is, since the signature covers it. */
export async function startBalancer(port: number): Promise<Balancer> {
  let ports: readonly number[] = [];
  let turn = 0;
  /** The port of each request that is under way. */
  const underWay = new Map<ServerResponse, number | undefined>();
  const refused = new Map<string, number>();
  const server = createServer((incoming, outgoing) => {
    const target = ports[(turn += 1) % ports.length];
    const { method, url: path, headers } = incoming;
    underWay.set(outgoing, target);
    const options = { host: "127.0.0.1", port: target, method, path, agent: false };
    const request = httpRequest({ ...options, headers: { ...headers, connection: "close" } }, (answer) => {
      const { connection: _, ...kept } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 502, kept);
      if (answer.statusCode === 409) {
        answer.on("data", (bytes: Buffer) => {
          const code = /"code":\s*"([a-z_]+)"/.exec(bytes.toString())?.[1] ?? "";
          refused.set(code, (refused.get(code) ?? 0) + 1);
        });
      }
      answer.pipe(outgoing);
    });
    request.on("error", () => outgoing.destroy());
    outgoing.on("close", () => {
      underWay.delete(outgoing);
      request.destroy();
    });
    incoming.pipe(request);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    async use(next) {
      ports = next;
      const others = [...underWay].filter(([, port]) => port !== undefined && !next.includes(port));
      await Promise.all(others.map(([outgoing]) => once(outgoing, "close")));
    },
    refusals: (code) => refused.get(code) ?? 0,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
