import { crop, placeOn, writePlanar } from "../raster.ts";
import { resize } from "../resample/resize.ts";
import type { RgbImage } from "../rgb-image.ts";
import type { PreprocessorConfig, SizeDict } from "./config.ts";
import { checkTarget, resizeTarget } from "./geometry.ts";
import type { ImageSize, ProcessedImages } from "./image-processor.ts";

/** `size` applied to one picture. */
export function resizeTo(image: RgbImage, size: SizeDict, config: PreprocessorConfig): RgbImage {
  return resize(image, { ...checkTarget(resizeTarget(image, size)), resample: config.resample });
}

/**
 * The middle of a picture; where the crop is larger than the picture, the rest is 0 (black before normalization).
 *
 * Source: transformers, image_transforms.py (`center_crop`).
 */
export function centerCrop(image: RgbImage, size: SizeDict): RgbImage {
  const width = size.width ?? image.width;
  const height = size.height ?? image.height;
  checkTarget({ width, height });
  const left = Math.floor((image.width - width) / 2);
  const top = Math.floor((image.height - height) / 2);
  if (left >= 0 && top >= 0 && left + width <= image.width && top + height <= image.height) {
    return crop(image, left, top, width, height);
  }
  const ground = { width: Math.max(width, image.width), height: Math.max(height, image.height), color: [0, 0, 0] };
  const padLeft = Math.ceil((ground.width - image.width) / 2);
  const padTop = Math.ceil((ground.height - image.height) / 2);
  return crop(placeOn(image, ground, padLeft, padTop), left + padLeft, top + padTop, width, height);
}

/**
 * The picture in the middle of a square of the mean colour.
 *
 * Source: transformers, models/llava/image_processing_pil_llava.py (`pad_to_square`).
 */
export function padToSquare(image: RgbImage, mean: readonly number[]): RgbImage {
  const { width, height } = image;
  if (width === height) return image;
  const edge = Math.max(width, height);
  checkTarget({ width: edge, height: edge });
  const color = mean.map((value) => Math.trunc(value * 255));
  const ground = { width: edge, height: edge, color };
  return placeOn(image, ground, Math.floor((edge - width) / 2), Math.floor((edge - height) / 2));
}

/** Where a picture of this size ends up. */
export function clipTarget(image: ImageSize, config: PreprocessorConfig): ImageSize {
  const { width, height } = image;
  const squared = squares(config) ? { width: Math.max(width, height), height: Math.max(width, height) } : image;
  const resized = config.do_resize ? resizeTarget(squared, config.size) : squared;
  if (!config.do_center_crop) return resized;
  return { width: config.crop_size?.width ?? resized.width, height: config.crop_size?.height ?? resized.height };
}

/** LLaVA's `do_pad` squares before the resize; that of all others pads after normalization. */
function squares(config: PreprocessorConfig): boolean {
  return config.type === "LlavaImageProcessor" && config.do_pad;
}

/**
 * CLIP, SigLIP, ViT, BLIP and LLaVA: resize, centre crop, one frame a picture.
 *
 * Source: transformers, image_processing_backends.py (`PilBackend._preprocess`), models/llava.
 */
export function processClip(
  images: readonly RgbImage[],
  config: PreprocessorConfig,
): Omit<ProcessedImages, "num_image_tokens"> {
  const frames = images.map((image) => {
    const squared = squares(config) ? padToSquare(image, config.image_mean) : image;
    const resized = config.do_resize ? resizeTo(squared, config.size, config) : squared;
    return config.do_center_crop && config.crop_size !== undefined ? centerCrop(resized, config.crop_size) : resized;
  });
  return { ...stackFrames(frames), masked: false };
}

/**
 * Frames of any size -> `[N, 3, H, W]` with the largest height and width; smaller ones are padded right and below.
 */
export function stackFrames(frames: readonly RgbImage[]): Pick<ProcessedImages, "pixels" | "shape" | "valid"> {
  const height = Math.max(...frames.map((frame) => frame.height));
  const width = Math.max(...frames.map((frame) => frame.width));
  checkTarget({ width, height: height * frames.length });
  const pixels = new Uint8Array(frames.length * 3 * height * width);
  frames.forEach((frame, n) => writePlanar(frame, pixels, n * 3 * height * width, width, height));
  const shape = [frames.length, 3, height, width];
  if (frames.every((frame) => frame.height === height && frame.width === width)) return { pixels, shape };
  return { pixels, shape, valid: frames.map((frame) => [frame.height, frame.width] as const) };
}
