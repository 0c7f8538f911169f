import { FoveaError } from "../../errors/error.ts";
import { resizeRows, type ResizeRows } from "../resample/resize.ts";
import type { RgbImage } from "../rgb-image.ts";
import { processClip } from "./clip.ts";
import { parsePreprocessorConfig, type PreprocessorConfig } from "./config.ts";
import { processGotOcr2 } from "./got-ocr2.ts";
import { processIdefics2 } from "./idefics2.ts";
import { processIdefics3 } from "./idefics3.ts";
import type { ImageProcessor, ProcessedImages } from "./image-processor.ts";
import { checkTiles, processLlavaNext } from "./llava-next.ts";
import { normalizationTable, normalize } from "./normalize.ts";
import { tokenCounter } from "./num-image-tokens.ts";
import { processQwen2VL } from "./qwen2-vl.ts";

export interface ImageProcessorOptions {
  /** The resize to use: `createWasmResize`, or the one in TypeScript if absent. Both give the same bits. */
  readonly resize?: ResizeRows;
  /**
   * Side of patches: CLIP, SigLIP, ViT, BLIP and LLaVA then give flat patches `[N * patches, 3 * side * side]` (channel,
   * row, column, as the weights of a patch convolution stand) instead of frames.
   */
  readonly patch?: number;
}

/**
 * An image processor from the files of a release, under upstream's names.
 *
 * @param preprocessorConfig `preprocessor_config.json`, parsed
 * @param processorConfig `processor_config.json`: what token counts need
 * @param modelConfig `config.json`: where the former is silent
 * @throws FoveaError `not_configured` when the config is damaged or its class is not known
 */
export function createImageProcessor(
  preprocessorConfig: unknown,
  processorConfig?: unknown,
  modelConfig?: unknown,
  options: ImageProcessorOptions = {},
): ImageProcessor {
  const config = parsePreprocessorConfig(preprocessorConfig);
  if (config.image_grid_pinpoints.length > 0) checkTiles(config);
  const table = normalizationTable(config);
  const countTokens = tokenCounter(config, processorConfig, modelConfig);
  const settings = { rows: options.resize ?? resizeRows, patch: options.patch };
  return {
    type: config.type,
    // Idefics2Processor loads every picture through `convert("RGB")` before its image processor could composite it
    transparency: config.type === "Idefics2ImageProcessor" ? "discard" : "composite",
    process(images, processOptions) {
      const list: readonly RgbImage[] = "data" in images ? [images] : images;
      if (list.length === 0) throw new FoveaError("invalid_request", "There is no picture to process.");
      const imagesInRequest = processOptions?.imagesInRequest ?? list.length;
      const num_image_tokens = list.map((image) => countTokens(image, imagesInRequest));
      return { ...dispatch(list, config, imagesInRequest, settings), num_image_tokens };
    },
    toPixelValues: (processed, into) => normalize(processed, table, into),
    numImageTokens: (sizes, processOptions) =>
      sizes.map((size) => countTokens(size, processOptions?.imagesInRequest ?? sizes.length)),
  };
}

function dispatch(
  images: readonly RgbImage[],
  config: PreprocessorConfig,
  imagesInRequest: number,
  { rows, patch }: { readonly rows: ResizeRows; readonly patch: number | undefined },
): Omit<ProcessedImages, "num_image_tokens"> {
  switch (config.type) {
    case "LlavaNextImageProcessor":
    case "LlavaOnevisionImageProcessor":
      return processLlavaNext(images, config, imagesInRequest, rows);
    case "GotOcr2ImageProcessor":
      return processGotOcr2(images, config, rows);
    case "Idefics2ImageProcessor":
      return processIdefics2(images, config, rows);
    case "Idefics3ImageProcessor":
    case "SmolVLMImageProcessor":
      return processIdefics3(images, config, rows);
    case "Qwen2VLImageProcessor":
    case "Qwen2_5_VLImageProcessor":
    case "Glm4vImageProcessor":
      return processQwen2VL(images, config, rows);
    default:
      return processClip(images, config, rows, patch);
  }
}
