import { FoveaError } from "../../errors/error.ts";
import { placeOn } from "../raster.ts";
import type { ResizeRows } from "../resample/resize.ts";
import type { RgbImage } from "../rgb-image.ts";
import type { PreprocessorConfig } from "./config.ts";
import { checkTarget, resizeTarget } from "./geometry.ts";
import type { ImageSize, ProcessedImages } from "./image-processor.ts";
import { eachRow, patchWriter, tileWriter } from "./writers.ts";

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

interface Target {
  readonly resized: ImageSize;
  /** The frame, after the crop. */
  readonly frame: ImageSize;
}

/** Where a picture of this size ends up. */
export function clipTarget(image: ImageSize, config: PreprocessorConfig): Target {
  const edge = Math.max(image.width, image.height);
  const squared = squares(config) ? { width: edge, height: edge } : image;
  const resized = config.do_resize ? resizeTarget(squared, config.size) : squared;
  const { width = resized.width, height = resized.height } = (config.do_center_crop && config.crop_size) || {};
  return { resized, frame: { width, height } };
}

/** LLaVA's `do_pad` squares before the resize; that of all others pads after normalization. */
function squares(config: PreprocessorConfig): boolean {
  return config.type === "LlavaImageProcessor" && config.do_pad;
}

/**
 * CLIP, SigLIP, ViT, BLIP and LLaVA: resize, centre crop, one frame a picture. Resized rows go straight to the result.
 * Where a crop is larger than the picture, or pictures differ in size, the rest is 0: before normalization for a crop
 * (black), after it for what fills up the batch.
 *
 * Source: transformers, image_processing_backends.py (`PilBackend._preprocess`), image_transforms.py (`center_crop`),
 * models/llava.
 *
 * @param patch side of the patches that are wanted instead of frames: `[N * patches, 3 * patch * patch]`
 */
export function processClip(
  images: readonly RgbImage[],
  config: PreprocessorConfig,
  rows: ResizeRows,
  patch: number | undefined,
): Omit<ProcessedImages, "num_image_tokens"> {
  const targets = images.map((image) => clipTarget(image, config));
  const height = Math.max(...targets.map(({ frame }) => frame.height));
  const width = Math.max(...targets.map(({ frame }) => frame.width));
  checkTarget({ width, height: height * images.length });
  const pixels = new Uint8Array(images.length * 3 * height * width);
  const uniform = targets.every(({ frame }) => frame.height === height && frame.width === width);
  if (patch !== undefined && !(uniform && width % patch === 0 && height % patch === 0)) {
    throw new FoveaError("not_configured", "The model's patches do not divide its pictures.");
  }
  for (const [n, image] of images.entries()) {
    const { resized, frame } = targets[n] ?? { resized: image, frame: image };
    checkTarget(resized);
    const offset = {
      left: -Math.floor((resized.width - frame.width) / 2),
      top: -Math.floor((resized.height - frame.height) / 2),
    };
    const at = n * 3 * height * width;
    const write =
      patch === undefined
        ? tileWriter({ into: pixels, at, width, height, columns: 1, rows: 1 }, offset)
        : patchWriter({ into: pixels, at, columns: width / patch, side: patch, merge: 1, temporal: 1 }, offset);
    const { top } = offset;
    const within = (row: Uint8Array, y: number): void => {
      if (y + top >= 0 && y + top < frame.height) write(row, y);
    };
    const squared = squares(config) ? padToSquare(image, config.image_mean) : image;
    if (config.do_resize) rows(squared, { ...resized, resample: config.resample }, within);
    else eachRow(squared, within);
  }
  if (patch !== undefined) {
    const patches = (images.length * height * width) / (patch * patch);
    return { pixels, shape: [patches, 3 * patch * patch], masked: false };
  }
  const shape = [images.length, 3, height, width];
  if (uniform) return { pixels, shape, masked: false };
  return { pixels, shape, valid: targets.map(({ frame }) => [frame.height, frame.width] as const), masked: false };
}

/**
 * Frames of any size -> `[N, 3, H, W]` with the largest height and width; smaller ones are padded right and below.
 */
export function stackFrames(frames: readonly RgbImage[]): Pick<ProcessedImages, "pixels" | "shape" | "valid"> {
  const height = Math.max(...frames.map((frame) => frame.height));
  const width = Math.max(...frames.map((frame) => frame.width));
  checkTarget({ width, height: height * frames.length });
  const pixels = new Uint8Array(frames.length * 3 * height * width);
  for (const [n, frame] of frames.entries()) {
    const tiles = { into: pixels, at: n * 3 * height * width, width, height, columns: 1, rows: 1 };
    eachRow(frame, tileWriter(tiles, { left: 0, top: 0 }));
  }
  const shape = [frames.length, 3, height, width];
  if (frames.every((frame) => frame.height === height && frame.width === width)) return { pixels, shape };
  return { pixels, shape, valid: frames.map((frame) => [frame.height, frame.width] as const) };
}
