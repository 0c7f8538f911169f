import { FoveaError } from "../../errors/error.ts";
import type { ResizeRows } from "../resample/resize.ts";
import type { RgbImage } from "../rgb-image.ts";
import type { PreprocessorConfig } from "./config.ts";
import { checkTarget, roundHalfEven } from "./geometry.ts";
import type { ImageSize, ProcessedImages } from "./image-processor.ts";
import { eachRow, patchWriter } from "./writers.ts";

/** Beyond it upstream raises: no size fits such a strip. */
const MAX_ASPECT_RATIO = 200;

/**
 * Both sides to multiples of `factor`, the pixels within the budget, the ratio kept as well as that allows. GLM-4V
 * first grows what is smaller than a factor, and counts every pixel once a frame.
 *
 * Source: transformers, models/qwen2_vl and models/glm4v (`smart_resize`).
 */
function smartResize(image: ImageSize, config: PreprocessorConfig): ImageSize {
  const { size, patch_size: patch, merge_size: merge, temporal_patch_size: temporal } = config;
  const factor = patch * merge;
  const min = size.shortest_edge ?? 0;
  const max = size.longest_edge ?? 0;
  const glm = config.type === "Glm4vImageProcessor";
  const frames = glm ? temporal : 1;
  let { width, height } = image;
  if (glm && (height < factor || width < factor)) {
    const scale = Math.max(factor / height, factor / width);
    height = Math.trunc(height * scale);
    width = Math.trunc(width * scale);
  }
  if (Math.max(height, width) / Math.min(height, width) > MAX_ASPECT_RATIO) {
    throw new FoveaError(
      "invalid_image",
      `The picture's longer side may be at most ${MAX_ASPECT_RATIO} times the shorter.`,
    );
  }
  const toHeight = roundHalfEven(height / factor) * factor;
  const toWidth = roundHalfEven(width / factor) * factor;
  if (frames * toHeight * toWidth > max) {
    const beta = Math.sqrt((frames * height * width) / max);
    return {
      height: Math.max(factor, Math.floor(height / beta / factor) * factor),
      width: Math.max(factor, Math.floor(width / beta / factor) * factor),
    };
  }
  if (frames * toHeight * toWidth < min) {
    const beta = Math.sqrt(min / (frames * height * width));
    return {
      height: Math.ceil((height * beta) / factor) * factor,
      width: Math.ceil((width * beta) / factor) * factor,
    };
  }
  return { height: toHeight, width: toWidth };
}

/** Patches in time, height and width. */
export function gridOf(image: ImageSize, config: PreprocessorConfig): readonly [t: number, h: number, w: number] {
  const { width, height } = config.do_resize ? smartResize(image, config) : image;
  return [1, Math.floor(height / config.patch_size), Math.floor(width / config.patch_size)];
}

/**
 * Qwen2-VL, Qwen2.5-VL and GLM-4V: any size, flat patches `[patches, 3 * T * P * P]` in blocks of `merge_size` x
 * `merge_size`; the picture stands for all `T` frames of a patch.
 *
 * Source: transformers, models/qwen2_vl/image_processing_pil_qwen2_vl.py (`patchify`).
 */
export function processQwen2VL(
  images: readonly RgbImage[],
  config: PreprocessorConfig,
  resizeRows: ResizeRows,
): Omit<ProcessedImages, "num_image_tokens"> {
  const { patch_size: patch, temporal_patch_size: temporal, merge_size: merge } = config;
  const grids = images.map((image) => gridOf(image, config));
  const patches = grids.reduce((sum, [t, h, w]) => sum + t * h * w, 0);
  checkTarget({ width: patch * patch * temporal, height: patches });
  const length = 3 * temporal * patch * patch;
  const pixels = new Uint8Array(patches * length);
  let at = 0;
  for (const [n, image] of images.entries()) {
    const [, rows, columns] = grids[n] ?? [1, 0, 0];
    if (rows % merge !== 0 || columns % merge !== 0) {
      throw new FoveaError("invalid_image", "The picture's sides are no multiples of the model's patches.");
    }
    const write = patchWriter({ into: pixels, at, columns, side: patch, merge, temporal }, { left: 0, top: 0 });
    const target = { width: columns * patch, height: rows * patch };
    if (config.do_resize) resizeRows(image, { ...checkTarget(target), resample: config.resample }, write);
    else if (target.width === image.width && target.height === image.height) eachRow(image, write);
    else throw new FoveaError("invalid_image", "The picture's sides are no multiples of the model's patches.");
    at += rows * columns * length;
  }
  return { pixels, shape: [patches, length], image_grid_thw: grids, masked: false };
}
