import { createServer } from "node:net";
import { UnavailableError } from "../usage.ts";

/**
 * Makes sure that a loopback port is free; 0 picks one.
 * @throws UnavailableError that names the port and the flag which changes it
 */
export function freePort(port: number, flag: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? "is taken" : `cannot be used (${error.code ?? "unknown"})`;
      reject(new UnavailableError(`Port ${port} ${why}. Stop what uses it, or choose another with ${flag} PORT.`));
    });
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      const address = server.address();
      const free = typeof address === "object" && address !== null ? address.port : port;
      server.close(() => resolve(free));
    });
  });
}
