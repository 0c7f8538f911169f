import { describe, expect, it } from "vitest";
import { createImageProcessor } from "../../../shared/image/processors/create-image-processor.ts";
import { createWasmResize } from "../../../shared/image/resample/wasm-resize.ts";
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
async function process(pictures: number): Promise<Picture[]> {
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
  const files = Array.from({ length: pictures }, (_, i) => ({ bytes: bitmap(), param: `messages[0].content[${i}]` }));
  const model = { imageProcessor, imageTokens: null, reader: { release, digest: ref.digest } };
  return processImages(files, model, new Stopwatch(0, true));
}

describe("processImages", () => {
  it("takes two of the largest tiled pictures, and gives equal ones the same feature key", async () => {
    const [first, second] = await process(2);
    expect(first?.processed.pixels.byteLength).toBe(17 * 512 * 512 * 3);
    expect(first?.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(second?.hash).toBe(first?.hash);
  });

  it("refuses pictures that are too large together, and names the first that is too much", async () => {
    await expect(process(3)).rejects.toMatchObject({ code: "image_too_large", param: "messages[0].content[2]" });
  });
});
