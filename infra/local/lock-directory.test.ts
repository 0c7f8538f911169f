import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UnavailableError } from "../usage.ts";
import { lockDirectory } from "./lock-directory.ts";
import { startStack } from "./stack.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "fovea-lock-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const running = JSON.stringify({ edge: "http://127.0.0.1:8787", origin: "http://127.0.0.1:8788" });

describe("lockDirectory", () => {
  it("refuses a second one, names the first, and leaves what it wrote", async () => {
    const unlock = await lockDirectory(directory);
    await writeFile(path.join(directory, "local.json"), running);
    await expect(lockDirectory(directory)).rejects.toThrow(UnavailableError);
    const second = startStack({ port: 0, originPort: 0, directory, apiKey: "key" });
    await expect(second).rejects.toThrow(/http:\/\/127.0.0.1:8787 runs from .*--dir/);
    expect(existsSync(path.join(directory, "local.json"))).toBe(true);
    await unlock();
    await (
      await lockDirectory(directory)
    )();
    expect(await readdir(directory)).toEqual([]);
  });

  it.each([
    ["a process that is gone", () => `${String(spawnSync(process.execPath, ["--version"]).pid)} x\n`],
    ["nobody, not written whole", () => ""],
  ])("takes over the lock of %s, and what it left", async (_, pid) => {
    await writeFile(path.join(directory, "lock"), pid());
    await writeFile(path.join(directory, "local.json"), running);
    const unlock = await lockDirectory(directory);
    expect(await readdir(directory)).toEqual(["lock"]);
    await expect(lockDirectory(directory)).rejects.toThrow(`process ${process.pid}`);
    await unlock();
  });

  it("lets one in of many that find a lock of nobody", async () => {
    await writeFile(path.join(directory, "lock"), "");
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => lockDirectory(directory)));
    expect(all.filter(({ status }) => status === "fulfilled").length).toBe(1);
  });
});
