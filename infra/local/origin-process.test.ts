import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fileStore } from "../store/file-store.ts";
import { startOrigin } from "./origin-process.ts";
import { LOCAL_CHANNEL, publishBuiltin } from "./publish-builtin.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "fovea-origin-process-"));
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true, force: true });
});

const environment = () => ({
  FOVEA_STAGE: "local",
  FOVEA_CHANNEL: LOCAL_CHANNEL,
  FOVEA_HOST: "127.0.0.1",
  FOVEA_PORT: "0",
  FOVEA_ORIGIN_KEYS: `test:${Buffer.alloc(32, 1).toString("base64")}`,
  FOVEA_STORE: `file:${path.join(folder, "store")}`,
  FOVEA_CACHE_DIR: path.join(folder, "cache"),
});

describe("startOrigin", () => {
  it("lets an origin that got ready in time run for good", async () => {
    await publishBuiltin(fileStore(path.join(folder, "store")));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const origin = await startOrigin(environment());
    vi.advanceTimersByTime(3_600_000);
    vi.useRealTimers();
    const still = new Promise((resolve) => setTimeout(() => resolve("running"), 500));
    expect(await Promise.race([origin.ended, still])).toBe("running");
    await origin.stop();
    expect(await origin.ended).toContain("exit code 0");
  });

  it("says the last words of one that does not start", async () => {
    await expect(startOrigin(environment())).rejects.toThrow(/did not start[^]*moji-vlm-9m/);
  });
});
