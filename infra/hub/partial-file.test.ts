import { open } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { writeAt } from "./partial-file.ts";

describe("writeAt", () => {
  it.runIf(process.platform === "linux")("says that the disk is full, and at which file", async () => {
    const full = await open("/dev/full", "r+");
    const written = writeAt(full, new Uint8Array(10), 0, { path: "onnx/model.onnx" });
    await expect(written).rejects.toMatchObject({
      name: "HubError",
      fault: "disk",
      message: expect.stringMatching(/disk is full at onnx\/model\.onnx/) as string,
    });
    await full.close();
  });
});
