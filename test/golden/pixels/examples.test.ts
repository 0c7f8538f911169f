import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { createWasmDecoder } from "../../../functions/edge/media/wasm-decoder.ts";
import { loadCodecModules } from "../../../infra/commands/inspect/codec-modules.node.ts";
import { decodeImage } from "../../../shared/image/decode-image.ts";
import { createImageProcessor } from "../../../shared/image/processors/create-image-processor.ts";
import type { Resampling } from "../../../shared/image/resample/filters.ts";
import { resize, resizeRows, type Box } from "../../../shared/image/resample/resize.ts";
import { createWasmResize } from "../../../shared/image/resample/wasm-resize.ts";
import golden from "./examples.json" with { type: "json" };

const MODEL = path.resolve(import.meta.dirname, "../../../model-artifacts/moji-vlm-9m");

function sha256(values: ArrayBufferView): string {
  return createHash("sha256").update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest("hex");
}

describe("the built-in model's examples", async () => {
  const modules = await loadCodecModules();
  const decoder = createWasmDecoder(modules);
  const config: unknown = JSON.parse(readFileSync(path.join(MODEL, "preprocessor_config.json"), "utf8"));
  const processor = createImageProcessor(config, undefined, undefined, { resize: createWasmResize(modules.resample) });

  // The same bits go into the encoder, so its features are the reference's: their cosine is 1
  it.each(golden.examples)("$file: rgb and pixel_values are the reference's", async ({ file, rgb, pixel_values }) => {
    const image = await decodeImage(new Uint8Array(readFileSync(path.join(MODEL, "examples", file))), decoder);
    expect(sha256(image.data)).toBe(rgb);
    expect(sha256(processor.toPixelValues(processor.process(image)))).toBe(pixel_values);
  });

  it("has all kinds of files", () => {
    const kinds = new Set(golden.examples.map(({ file }) => path.extname(file)));
    expect([...kinds].toSorted()).toEqual([".jpg", ".png", ".webp"]);
    expect(golden.examples).toHaveLength(24);
  });
});

describe("a picture of 6 MP", async () => {
  const { resample: module } = await loadCodecModules();
  const [width, height] = [2725, 2225];
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, i = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      for (let c = 0; c < 3; c += 1, i += 1) data[i] = (x * 7 + y * 13 + c * 61 + ((x * y) % 31) * 5) % 256;
    }
  }
  const resizers = { TypeScript: resizeRows, SIMD: createWasmResize(module) };

  it.each(golden.large)("to $width x $height by filter $resample, box $box", (row) => {
    const size = { width: row.width, height: row.height, resample: row.resample as Resampling };
    const options = row.box === null ? size : { ...size, box: row.box as unknown as Box };
    for (const [name, rows] of Object.entries(resizers)) {
      expect(sha256(resize({ data, width, height }, options, rows).data), name).toBe(row.sha256);
    }
  });
});
