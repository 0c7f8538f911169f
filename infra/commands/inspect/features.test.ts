import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { runCommand } from "citty";
import { afterEach, expect, it, vi } from "vitest";
import { BUILTIN_EXAMPLES } from "../../local/builtin.ts";
import { inspectFeatures } from "./features.ts";

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

it("fovea inspect features names a file that fails, goes on, and ends with 1", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "fovea-features-"));
  const [bad, good] = [path.join(folder, "bad.png"), path.join(BUILTIN_EXAMPLES, "02_what.jpg")];
  await writeFile(bad, "no picture at all");
  let printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => (printed += String(text)) !== "");
  await runCommand(inspectFeatures, { rawArgs: [bad, good, "--out", folder, "--json"] });
  const lines = printed.trim().split("\n");
  expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
    { file: bad, ok: false, code: "invalid_image" },
    { file: good, ok: true, runtime: expect.any(String) as string },
  ]);
  expect(process.exitCode).toBe(1);
  await rm(folder, { recursive: true });
});
