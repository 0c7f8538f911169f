import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { runCommand } from "citty";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { decodeSafetensors } from "../../../shared/safetensors/decode.ts";
import cases from "../../../test/golden/pixels/decode.json" with { type: "json" };
import { inspectPixels } from "./pixels.ts";

const SIGLIP = { image_processor_type: "SiglipImageProcessor", size: { height: 28, width: 42 } };

describe("fovea inspect pixels", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "fovea-pixels-"));
    await writeFile(path.join(folder, "preprocessor_config.json"), JSON.stringify(SIGLIP));
  });
  afterAll(() => rm(folder, { recursive: true }));
  afterEach(() => {
    process.exitCode = 0;
  });

  async function inspect(files: readonly string[]): Promise<{ file: string; ok: boolean; code?: string }[]> {
    const lines: string[] = [];
    const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
    try {
      const processor = path.join(folder, "preprocessor_config.json");
      const rawArgs = [...files, "--processor", processor, "--out", path.join(folder, "out"), "--json"];
      await runCommand(inspectPixels, { rawArgs });
    } finally {
      write.mockRestore();
    }
    return lines.map((line) => JSON.parse(line) as { file: string; ok: boolean; code?: string });
  }

  it("writes rgb and pixel_values, and a broken file stops nothing but makes the status 1", async () => {
    const picture = cases.find(({ name }) => name === "jpeg-exif-6");
    const good = path.join(folder, "good.jpg");
    const bad = path.join(folder, "bad.png");
    await writeFile(good, Buffer.from(picture?.file ?? "", "base64"));
    await writeFile(bad, "no picture at all");
    const lines = await inspect([bad, good, path.join(folder, "absent.png"), folder]);
    expect(lines).toEqual([
      { file: bad, ok: false, code: "invalid_image", message: expect.any(String) as string },
      { file: good, ok: true, width: 56, height: 40 },
      expect.objectContaining({ ok: false, code: "not_found" }),
      expect.objectContaining({ ok: false, code: "invalid_image" }),
    ]);
    expect(process.exitCode).toBe(1);
    const bytes = new Uint8Array(await readFile(path.join(folder, "out", "good.jpg.safetensors")));
    const { tensors } = decodeSafetensors(bytes, { maxHeaderBytes: 4096, maxTensors: 2 });
    const shapes = [...tensors].map(([name, { dtype, shape }]) => [name, dtype, shape]);
    expect(shapes).toEqual([
      ["pixel_values", "F32", [1, 3, 28, 42]],
      ["rgb", "U8", [40, 56, 3]],
    ]);
  });

  it("does not overwrite the output of another file with the same name", async () => {
    const other = path.join(folder, "other");
    await mkdir(other);
    const files = [path.join(folder, "same.png"), path.join(other, "same.png")];
    for (const [n, file] of files.entries()) {
      await writeFile(file, Buffer.from(cases[n]?.file ?? "", "base64"));
    }
    expect(await inspect(files)).toMatchObject([{ ok: true }, { ok: false, code: "invalid_request" }]);
  });
});
