import * as z from "zod";
import { clipTarget } from "./clip.ts";
import type { PreprocessorConfig } from "./config.ts";
import { gotOcr2Frames } from "./got-ocr2.ts";
import { idefics3Plan } from "./idefics3.ts";
import type { ImageSize } from "./image-processor.ts";
import { selectBestResolution, tileSide } from "./llava-next.ts";
import { gridOf } from "./qwen2-vl.ts";

const count = z.number().int().min(0).max(65_536).optional().catch(undefined);
const processorSchema = z
  .object({
    patch_size: count,
    num_additional_image_tokens: count,
    vision_feature_select_strategy: z.string().optional().catch(undefined),
    num_image_tokens: count,
    vision_aspect_ratio: z.string().optional().catch(undefined),
    image_seq_len: count,
    image_seq_length: count,
    num_query_tokens: count,
  })
  .catch({});
const modelSchema = z
  .object({
    image_seq_length: count,
    num_query_tokens: count,
    vision_feature_select_strategy: z.string().optional().catch(undefined),
    vision_aspect_ratio: z.string().optional().catch(undefined),
    vision_config: z.object({ patch_size: count }).optional().catch(undefined),
    perceiver_config: z.object({ resampler_n_latents: count }).optional().catch(undefined),
  })
  .catch({});

export type TokenCounter = (image: ImageSize, imagesInRequest: number) => number;

/**
 * How many feature rows a picture becomes, from `processor_config.json` and, where that is silent, `config.json`.
 *
 * Source: transformers, `replace_image_token` of the processors (models/llava, llava_next, llava_onevision, idefics2,
 * idefics3, smolvlm, qwen2_vl, glm4v, instructblip, blip_2, internvl).
 */
export function tokenCounter(config: PreprocessorConfig, processorConfig: unknown, modelConfig: unknown): TokenCounter {
  const processor = processorSchema.parse(processorConfig ?? {});
  const model = modelSchema.parse(modelConfig ?? {});
  const patch = processor.patch_size ?? model.vision_config?.patch_size ?? config.patch_size;
  const strategy = processor.vision_feature_select_strategy ?? model.vision_feature_select_strategy;
  const dropped = strategy === "default" ? 1 : 0;
  const additional = processor.num_additional_image_tokens ?? 0;

  switch (config.type) {
    case "LlavaNextImageProcessor": {
      const tile = tileSide(config);
      const side = Math.floor(tile / patch);
      return (image) => anyres(image, config, side, Infinity) + side * side + additional - dropped;
    }
    case "LlavaOnevisionImageProcessor": {
      const side = Math.floor(tileSide(config) / patch);
      const base = processor.num_image_tokens ?? side * side;
      const ratio = processor.vision_aspect_ratio ?? model.vision_aspect_ratio ?? "anyres_max_9";
      const most = Number(/\d+$/.exec(ratio)?.[0] ?? 9);
      return (image, images) =>
        (images > 1 ? base + 1 : anyres(image, config, Math.trunc(Math.sqrt(base)), most) + base) - dropped;
    }
    case "GotOcr2ImageProcessor": {
      const length = processor.image_seq_length ?? model.image_seq_length ?? 256;
      return (image) => length * gotOcr2Frames(image, config);
    }
    case "Idefics2ImageProcessor": {
      const length = processor.image_seq_len ?? model.perceiver_config?.resampler_n_latents ?? 64;
      return () => length * (config.do_image_splitting ? 5 : 1);
    }
    case "Idefics3ImageProcessor":
    case "SmolVLMImageProcessor": {
      const length = processor.image_seq_len ?? 169;
      return (image) => {
        const { rows, cols } = idefics3Plan(image, config);
        return length * (rows * cols + 1);
      };
    }
    case "Qwen2VLImageProcessor":
    case "Qwen2_5_VLImageProcessor":
    case "Glm4vImageProcessor":
      return (image) => {
        const [t, h, w] = gridOf(image, config);
        return (t * h * w) / config.merge_size ** 2;
      };
    default: {
      const queries = processor.num_query_tokens ?? model.num_query_tokens;
      if (queries !== undefined) return () => queries;
      if (processor.patch_size === undefined && model.image_seq_length !== undefined) {
        const fixed = model.image_seq_length;
        return () => fixed;
      }
      return (image) => {
        const { width, height } = clipTarget(image, config).frame;
        return Math.floor(height / patch) * Math.floor(width / patch) + additional - dropped;
      };
    }
  }
}

/**
 * Rows of the tiled view after unpadding, with one newline a row; cut down when the grid holds more than `most` tiles.
 *
 * @param side patches along one side of a tile
 */
function anyres({ width, height }: ImageSize, config: PreprocessorConfig, side: number, most: number): number {
  const tile = tileSide(config);
  const grid = selectBestResolution({ width, height }, config.image_grid_pinpoints);
  let rows = side * Math.floor(grid.height / tile);
  let columns = side * Math.floor(grid.width / tile);
  if (width / height > columns / rows) {
    const kept = truncateRounded(height * (columns / width));
    rows -= 2 * Math.floor((rows - kept) / 2);
  } else {
    const kept = truncateRounded(width * (rows / height));
    columns -= 2 * Math.floor((columns - kept) / 2);
  }
  const ratio = Math.sqrt((rows * columns) / (most * side ** 2));
  if (ratio > 1.1) return Math.floor(rows / ratio) * Math.floor(columns / ratio) + Math.floor(rows / ratio);
  return rows * columns + rows;
}

/** Python's `int(round(value, 7))`: 299.99999999 is 300. */
function truncateRounded(value: number): number {
  return Math.trunc(Number(value.toFixed(7)));
}
