import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { runCommand } from "citty";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import ask from "./ask.ts";

interface Received {
  readonly url: string | undefined;
  readonly parts: readonly { readonly type: string; readonly text?: string }[];
}

describe("fovea ask", () => {
  let folder: string;
  let server: Server;
  let base: string;
  let received: Received[];
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "fovea-ask-"));
    await writeFile(path.join(folder, "a.png"), "picture");
    await writeFile(path.join(folder, "notes.txt"), "no picture");
    server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        const { messages } = JSON.parse(body) as { messages: [{ content: Received["parts"] }] };
        received.push({ url: request.url, parts: messages[0].content });
        const bad = body.includes(Buffer.from("no picture").toString("base64"));
        const param = "messages[0].content[1].image_url.url";
        response.writeHead(bad ? 400 : 200, { "content-type": "application/json" });
        response.end(JSON.stringify(bad ? { error: { message: "This is no picture.", param } } : { ok: true }));
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    received = [];
    vi.spyOn(console, "log").mockImplementation(() => undefined);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });
  afterAll(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  const run = (...rawArgs: string[]) => runCommand(ask, { rawArgs: [...rawArgs, "--json"] });

  it.each(["", "/", "/v1", "/v1/"])("takes a base URL that ends in '%s'", async (end) => {
    await run("Hello?", "--url", `${base}${end}`);
    expect(received).toEqual([{ url: "/v1/chat/completions", parts: [{ type: "text", text: "Hello?" }] }]);
  });

  it("asks what is this of a picture alone", async () => {
    await run(path.join(folder, "a.png"), "--url", base);
    expect(received[0]?.parts.map(({ type, text }) => [type, text])).toEqual([
      ["image_url", undefined],
      ["text", "What is this?"],
    ]);
  });

  it("names a picture that is none, and one that is not there", async () => {
    const [good, bad] = [path.join(folder, "a.png"), path.join(folder, "notes.txt")];
    await expect(run(good, bad, "What?", "--url", base)).rejects.toThrow(`${bad}: 400 This is no picture.`);
    await expect(run("absent.png", "What?", "--url", base)).rejects.toThrow("no picture absent.png");
  });

  it("says where nothing answers, and what to do", async () => {
    const gone = createServer().listen(0, "127.0.0.1");
    await once(gone, "listening");
    const edge = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
    gone.close();
    await once(gone, "close");
    await expect(run("Hello?", "--url", edge)).rejects.toThrow(`${edge}/v1 does not answer. Is the --url right?`);
    await writeFile(path.join(folder, "local.json"), JSON.stringify({ edge, origin: edge }));
    await expect(run("Hello?", "--dir", folder)).rejects.toThrow(/does not answer.*start it again/);
    vi.stubEnv("FOVEA_DIR", path.join(folder, "absent"));
    await expect(run("Hello?")).rejects.toThrow(/Nothing is running in .*absent.*--dir/);
  });
});
