import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { buildPlayground } from "../build/playground.ts";

/** Ends only when nothing is left that keeps it alive. */
const PROGRAM = `
  const { startWorkers } = await import(${JSON.stringify(new URL("workers.ts", import.meta.url).href)});
  const [persist, port] = process.argv.slice(1);
  const secrets = { originKeys: "local:AAAA", accessKeyId: "id", secretAccessKey: "secret" };
  const options = { port: Number(port), originUrl: "http://127.0.0.1:9", persist, secrets, bindings: {} };
  await startWorkers(options).catch((error) => console.log(error.name, error.message));
`;

it("startWorkers leaves nothing that keeps the process alive when another took the port meanwhile", async () => {
  // wrangler bundles the edge with its files.
  await buildPlayground();
  const persist = await mkdtemp(path.join(tmpdir(), "fovea-workers-"));
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const child = spawn(process.execPath, ["--input-type=module", "-e", PROGRAM, persist, String(port)]);
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  expect(await once(child, "exit")).toEqual([0, null]);
  expect(said).toContain(`UnavailableError Port ${port} is taken`);
  server.close();
  await rm(persist, { recursive: true, force: true });
});
