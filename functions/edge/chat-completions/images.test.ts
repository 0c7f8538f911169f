import { describe, expect, it } from "vitest";
import { createImageProcessor } from "../../../shared/image/processors/create-image-processor.ts";
import { createWasmResize } from "../../../shared/image/resample/wasm-resize.ts";
import type { Release } from "../../../shared/releases/release.ts";
import { tinyRelease } from "../../../shared/releases/tiny-release.ts";
import { codecModules } from "../media/codec-modules.workerd.ts";
import { processImages, type Picture } from "./images.ts";
import { Stopwatch } from "./stopwatch.ts";

/** A white bitmap of 64 x 64 in a few bytes more than its pixels. */
function bitmap(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(54 + 64 * 64 * 3).fill(255, 54);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  for (const [at, value] of [
    [2, bytes.length],
    [10, 54],
    [14, 40],
    [18, 64],
    [22, 64],
  ] as const)
    view.setUint32(at, value, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  return bytes;
}

/** SmolVLM's own processor makes 17 tiles of 512 x 512 of any picture. */
async function process(
  pictures: number,
  files = Array.from({ length: pictures }, (_, i) => ({ bytes: bitmap(), param: `messages[0].content[${i}]` })),
  change: (release: Release) => Release = (release) => release,
): Promise<Picture[]> {
  const imageProcessor = createImageProcessor(
    {
      image_processor_type: "Idefics3ImageProcessor",
      size: { longest_edge: 2048 },
      max_image_size: { longest_edge: 512 },
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.5, 0.5, 0.5],
      resample: 1,
    },
    { image_seq_len: 64 },
    {},
    { resize: createWasmResize(codecModules.resample) },
  );
  const { release, ref } = await tinyRelease();
  const model = { imageProcessor, imageTokens: null, reader: { release: change(release), digest: ref.digest } };
  return processImages(files, model, new Stopwatch(0, true));
}

describe("processImages", () => {
  it("takes two of the largest tiled pictures, and gives equal ones the same feature key", async () => {
    const [first, second] = await process(2);
    expect(first?.processed.pixels.byteLength).toBe(17 * 512 * 512 * 3);
    expect(first?.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(second?.hash).toBe(first?.hash);
  });

  it("processes files that are given back for another release that processes alike, and for no other", async () => {
    const files = [{ bytes: bitmap(), param: "messages[0].content[0]" }];
    const [first] = await process(1, files);
    files[0]?.bytes.buffer.transfer(0);
    const [again] = await process(1, files, (release) => ({ ...release, version: "2.0.0" }));
    expect(again?.hash).toBe(first?.hash);
    expect(again?.processed.pixels).toBe(first?.processed.pixels);
    const otherwise = (release: Release): Release => {
      const [stage] = Object.values(release.stages);
      return { ...release, stages: { ...release.stages, ...(stage && { image_processor: stage }) } };
    };
    await expect(process(1, files, otherwise)).rejects.toMatchObject({ code: "release_unavailable", status: 503 });
  });

  it("refuses pictures that are too large together, and names the first that is too much", async () => {
    await expect(process(3)).rejects.toMatchObject({ code: "image_too_large", param: "messages[0].content[2]" });
  });
});
