import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { createWasmDecoder } from "../../../functions/edge/media/wasm-decoder.ts";
import { loadCodecModules } from "../../../infra/commands/inspect/codec-modules.node.ts";
import { decodeImage } from "../../../shared/image/decode-image.ts";
import { toPixelAttentionMask } from "../../../shared/image/processors/image-processor.ts";
import { createImageProcessor } from "../../../shared/image/processors/create-image-processor.ts";
import { FIXTURES, modelsIn, ZOO, type ZooModel } from "../../zoo/models.ts";

const others = modelsIn(ZOO);
if (others.length === 0) console.warn(`ABSENT: there are no reference models at ${ZOO}; the repository's own are tested.`);

const tensor = z.object({ shape: z.array(z.number()), sha256: z.string() });
const reference = z.object({
  requests: z.array(
    z.object({
      name: z.string(),
      images: z.array(z.string()),
      pixel_values: tensor.nullish(),
      pixel_attention_mask: z.union([tensor, z.array(z.unknown())]).nullish(),
      image_features: z.object({ shape: z.array(z.number()) }).nullish(),
      image_grid_thw: z.array(z.array(z.number())).nullish(),
      image_sizes: z.array(z.array(z.number())).nullish(),
    }),
  ),
});

function readJson({ directory }: ZooModel, file: string): unknown {
  return JSON.parse(readFileSync(path.join(directory, file), "utf8"));
}

function sha256(values: ArrayBufferView): string {
  return createHash("sha256").update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest("hex");
}

describe("pixel_values of the reference models", async () => {
  const decoder = createWasmDecoder(await loadCodecModules());

  it.each([...others, ...modelsIn(FIXTURES)])("$name: bits, shapes and token counts of every request", async (model) => {
    const { requests } = reference.parse(readJson(model, "reference.json"));
    const processor = createImageProcessor(
      readJson(model, "preprocessor_config.json"),
      readJson(model, "processor_config.json"),
      readJson(model, "config.json"),
    );
    const withPictures = requests.filter(({ images }) => images.length > 0);
    expect(withPictures.length).toBeGreaterThanOrEqual(17);
    for (const request of withPictures) {
      const images = [];
      for (const name of request.images) {
        const file = new Uint8Array(readFileSync(path.join(model.directory, "../images", name)));
        const image = await decodeImage(file, decoder, { transparency: processor.transparency });
        images.push({ ...image, data: image.data.slice() });
      }
      const processed = processor.process(images);
      expect(processed.shape, request.name).toEqual(request.pixel_values?.shape);
      expect(sha256(processor.toPixelValues(processed)), request.name).toBe(request.pixel_values?.sha256);
      const rows = processed.num_image_tokens.reduce((sum, tokens) => sum + tokens, 0);
      expect(rows, request.name).toBe(request.image_features?.shape[0]);
      if (request.image_grid_thw) expect(processed.image_grid_thw).toEqual(request.image_grid_thw);
      if (request.image_sizes) expect(processed.image_sizes).toEqual(request.image_sizes);
      expect(processed.masked).toBe(Boolean(request.pixel_attention_mask));
      if (request.pixel_attention_mask && "sha256" in request.pixel_attention_mask) {
        const mask = BigInt64Array.from(toPixelAttentionMask(processed), BigInt);
        expect(sha256(mask), request.name).toBe(request.pixel_attention_mask.sha256);
      }
    }
  });
});
