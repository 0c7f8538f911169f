import { FoveaError } from "../../errors/error.ts";
import type { RgbImage } from "../rgb-image.ts";
import { processClip } from "./clip.ts";
import { parsePreprocessorConfig, type PreprocessorConfig } from "./config.ts";
import { processIdefics2 } from "./idefics2.ts";
import { processIdefics3 } from "./idefics3.ts";
import type { ImageProcessor, ProcessedImages } from "./image-processor.ts";
import { processLlavaNext } from "./llava-next.ts";
import { normalizationTable, normalize } from "./normalize.ts";
import { tokenCounter } from "./num-image-tokens.ts";
import { processQwen2VL } from "./qwen2-vl.ts";

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
): ImageProcessor {
  const config = parsePreprocessorConfig(preprocessorConfig);
  const table = normalizationTable(config);
  const countTokens = tokenCounter(config, processorConfig, modelConfig);
  return {
    type: config.type,
    // Idefics2Processor loads every picture through `convert("RGB")` before its image processor could composite it
    transparency: config.type === "Idefics2ImageProcessor" ? "discard" : "composite",
    process(images, options) {
      const list: readonly RgbImage[] = "data" in images ? [images] : images;
      if (list.length === 0) throw new FoveaError("invalid_request", "There is no picture to process.");
      const imagesInRequest = options?.imagesInRequest ?? list.length;
      const num_image_tokens = list.map((image) => countTokens(image, imagesInRequest));
      return { ...dispatch(list, config, imagesInRequest), num_image_tokens };
    },
    toPixelValues: (processed) => normalize(processed, table),
    numImageTokens: (sizes, options) =>
      sizes.map((size) => countTokens(size, options?.imagesInRequest ?? sizes.length)),
  };
}

function dispatch(
  images: readonly RgbImage[],
  config: PreprocessorConfig,
  imagesInRequest: number,
): Omit<ProcessedImages, "num_image_tokens"> {
  switch (config.type) {
    case "LlavaNextImageProcessor":
    case "LlavaOnevisionImageProcessor":
      return processLlavaNext(images, config, imagesInRequest);
    case "Idefics2ImageProcessor":
      return processIdefics2(images, config);
    case "Idefics3ImageProcessor":
    case "SmolVLMImageProcessor":
      return processIdefics3(images, config);
    case "Qwen2VLImageProcessor":
    case "Qwen2_5_VLImageProcessor":
    case "Glm4vImageProcessor":
      return processQwen2VL(images, config);
    default:
      return processClip(images, config);
  }
}
