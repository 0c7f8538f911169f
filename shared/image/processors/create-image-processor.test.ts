import { describe, expect, it } from "vitest";
import pictures from "../../../test/golden/pixels/decode.json";
import golden from "../../../test/golden/pixels/processors.json";
import resampleModule from "../resample/resample.wasm";
import { createWasmResize } from "../resample/wasm-resize.ts";
import type { RgbImage } from "../rgb-image.ts";
import { createImageProcessor } from "./create-image-processor.ts";

const resize = createWasmResize(resampleModule);

async function inflate(base64: string): Promise<Uint8Array> {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A picture of decode.json by name, or the one that processors.py draws for "640x9". */
async function pictureOf(name: string): Promise<RgbImage> {
  const stored = pictures.find((picture) => picture.name === name);
  if (stored !== undefined) return { data: await inflate(stored.rgb), width: stored.width, height: stored.height };
  const [width = 0, height = 0] = name.split("x").map(Number);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, i = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      for (let c = 0; c < 3; c += 1, i += 1) data[i] = (x * 7 + y * 13 + c * 61 + ((x * y) % 31) * 5) % 256;
    }
  }
  return { data, width, height };
}

async function sha256(values: Float32Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new Float32Array(values));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

describe(`pixel_values, as the *Pil classes of transformers ${golden.transformers} give them`, () => {
  it.each(golden.processors)("$config", async ({ config, results }) => {
    const processor = createImageProcessor(config, undefined, undefined, { resize });
    expect(results.length).toBeGreaterThanOrEqual(12);
    const wrong: unknown[] = [];
    for (const { picture, shape, sha256: expected } of results) {
      const processed = processor.process(await pictureOf(picture));
      const same = (await sha256(processor.toPixelValues(processed))) === expected;
      if (!same || processed.shape.join() !== shape.join()) wrong.push([picture, processed.shape, shape]);
    }
    expect(wrong).toEqual([]);
  });
});

const SIGLIP = { image_processor_type: "SiglipImageProcessor", size: { height: 28, width: 42 } };

describe("createImageProcessor", () => {
  it("gives patches that are the frame's, in the order of a patch convolution's weights", async () => {
    const image = await pictureOf("97x331");
    const frames = createImageProcessor(SIGLIP).process([image, image]);
    const patches = createImageProcessor(SIGLIP, undefined, undefined, { patch: 14, resize }).process([image, image]);
    expect(frames.shape).toEqual([2, 3, 28, 42]);
    expect(patches.shape).toEqual([12, 588]);
    const expected = new Uint8Array(frames.pixels.length);
    let to = 0;
    for (let n = 0; n < 2; n += 1) {
      for (let patch = 0; patch < 6; patch += 1) {
        for (let i = 0; i < 588; i += 1, to += 1) {
          const [c, y, x] = [Math.trunc(i / 196), Math.trunc((i % 196) / 14), i % 14];
          const row = Math.trunc(patch / 3) * 14 + y;
          expected[to] = frames.pixels[((n * 3 + c) * 28 + row) * 42 + (patch % 3) * 14 + x] ?? 0;
        }
      }
    }
    expect(patches.pixels).toEqual(expected);
  });

  it("normalizes patches by their channel", async () => {
    const config = { ...SIGLIP, image_mean: [0, 0.25, 0.5], image_std: [1, 0.5, 0.25] };
    const processor = createImageProcessor(config, undefined, undefined, { patch: 14 });
    const processed = processor.process(await pictureOf("300x224"));
    const values = processor.toPixelValues(processed);
    for (const [i, mean, std] of [
      [5, 0, 1],
      [200, 0.25, 0.5],
      [588 + 450, 0.5, 0.25],
    ] as const) {
      const sample = Math.fround((processed.pixels[i] ?? 0) * (1 / 255));
      expect(values[i]).toBe(Math.fround(Math.fround(sample - mean) / std));
    }
  });

  it("takes upstream's names with Fast, Pil and FeatureExtractor, and refuses others", () => {
    for (const type of ["CLIPImageProcessorFast", "CLIPImageProcessorPil", "CLIPFeatureExtractor"]) {
      expect(createImageProcessor({ image_processor_type: type }).type).toBe("CLIPImageProcessor");
    }
    for (const config of [{}, null, { image_processor_type: "__proto__" }, { image_processor_type: "Nobody" }]) {
      expect(() => createImageProcessor(config)).toThrow(expect.objectContaining({ code: "not_configured" }));
    }
    const huge = { ...SIGLIP, size: { height: 1e9, width: 2 } };
    expect(() => createImageProcessor(huge)).toThrow(expect.objectContaining({ code: "not_configured" }));
  });

  it("refuses shapes that upstream refuses, and inputs that would take too much memory", async () => {
    const strip = await pictureOf("2x450");
    const qwen = createImageProcessor({ image_processor_type: "Qwen2VLImageProcessor" });
    expect(() => qwen.process(strip)).toThrow(expect.objectContaining({ code: "invalid_image" }));
    const clip = createImageProcessor({ image_processor_type: "CLIPImageProcessor" });
    expect(() => clip.process(strip)).toThrow(expect.objectContaining({ code: "image_too_large" }));
  });

  it("cuts tiles for InternVL's processor, whatever crop_to_patches says", async () => {
    const asked = golden.processors.find(({ config }) => config.max_patches === 7);
    if (asked === undefined) throw new Error("processors.json has no tiles.");
    const config = { ...asked.config, crop_to_patches: false, processor_class: "InternVLProcessor" };
    const processor = createImageProcessor(config, { image_seq_length: 16 }, undefined, { resize });
    const [wide, small] = [await pictureOf("640x9"), await pictureOf("2x2")];
    const frames = ["640x9", "2x2"].map((name) => asked.results.find(({ picture }) => picture === name)?.shape[0] ?? 0);
    const { shape, num_image_tokens } = processor.process([wide, small]);
    expect(shape).toEqual([frames[0] + frames[1], 3, 28, 42]);
    expect(num_image_tokens).toEqual(frames.map((count) => 16 * count));
    expect(processor.numImageTokens([wide, small])).toEqual(num_image_tokens);
    expect(createImageProcessor({ ...config, processor_class: undefined }).process(wide).shape[0]).toBe(1);
    const { size: _, ...unsized } = config;
    const shortest = createImageProcessor({ ...unsized, size: { shortest_edge: 28 } });
    expect(() => shortest.process(wide)).toThrow(expect.objectContaining({ code: "not_configured" }));
  });

  it("counts tokens from sizes alone as it does from pictures", async () => {
    const config = { image_processor_type: "Qwen2VLImageProcessor" };
    const processor = createImageProcessor(config);
    const image = await pictureOf("300x224");
    expect(processor.numImageTokens([image])).toEqual(processor.process(image).num_image_tokens);
    const moji = createImageProcessor(
      { ...SIGLIP, size: { height: 224, width: 224 } },
      { patch_size: 56, num_additional_image_tokens: 0, vision_feature_select_strategy: "full" },
    );
    expect(moji.numImageTokens([image, image])).toEqual([16, 16]);
  });
});
