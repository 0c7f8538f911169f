import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROOT } from "../../infra/paths.ts";

interface Started {
  readonly child: ChildProcess;
  output: string;
  readonly exit: Promise<number | null>;
}

describe("npm start", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "fovea start "));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  function start(...args: string[]): Started {
    const child = spawn(process.execPath, [path.join(ROOT, "infra/cli.ts"), "dev", "--dir", directory, ...args]);
    const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
    const started: Started = { child, output: "", exit };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (started.output += text));
    }
    return started;
  }

  async function ready(started: Started): Promise<{ edge: string; origin: string }> {
    while (!started.output.includes("Ctrl-C stops everything")) {
      if (started.child.exitCode !== null) throw new Error(started.output);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return JSON.parse(await readFile(path.join(directory, "local.json"), "utf8")) as { edge: string; origin: string };
  }

  async function answers(url: string): Promise<boolean> {
    return fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  it("answers the request that it prints, and stops everything at Ctrl-C", async () => {
    const started = start("--port", "0", "--origin-port", "0");
    const { edge, origin } = await ready(started);
    expect(started.output).toContain(`${edge}/#key=fovea-local`);
    // As a shell takes it, from a folder with a space in its name.
    expect(started.output).toContain(`-d '@${path.join(directory, "request.json")}'`);
    const body = await readFile(path.join(directory, "request.json"), "utf8");
    const headers = { authorization: "Bearer fovea-local", "content-type": "application/json" };
    const response = await fetch(`${edge}/v1/chat/completions`, { method: "POST", headers, body });
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: "A bee." } }] });
    expect(await answers(origin)).toBe(true);
    started.child.kill("SIGINT");
    expect(await started.exit).toBe(0);
    expect([await answers(edge), await answers(origin)]).toEqual([false, false]);
    await expect(readFile(path.join(directory, "local.json"))).rejects.toThrow("ENOENT");
  });

  it.each(["Bundling the Workers", "Publishing the built-in model", "Starting the origin"])(
    "stops at Ctrl-C while it is at %s",
    async (step) => {
      const started = start("--port", "0", "--origin-port", "0");
      while (!started.output.includes(step)) await new Promise((resolve) => setTimeout(resolve, 20));
      started.child.kill("SIGINT");
      expect(await started.exit).toBe(130);
      expect(started.output).not.toContain("Ready in");
      expect(started.output).not.toMatch(/\n\s+at /);
      expect(await readdir(directory)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(local\.json|lock)/)]),
      );
    },
  );

  it("names a taken port and the flag that changes it", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    for (const flag of ["--port", "--origin-port"]) {
      const other = flag === "--port" ? "--origin-port" : "--port";
      const started = start(flag, String(port), other, "0");
      expect(await started.exit).toBe(1);
      expect(started.output).toContain(`Port ${port} is taken`);
      expect(started.output).toContain(`${flag} PORT`);
      expect(started.output).not.toMatch(/\n\s+at /);
    }
    server.close();
  });
});
