import { crop } from "../raster.ts";
import { resize, type ResizeRows } from "../resample/resize.ts";
import type { RgbImage } from "../rgb-image.ts";
import { stackFrames } from "./clip.ts";
import type { PreprocessorConfig } from "./config.ts";
import { checkTarget } from "./geometry.ts";
import type { ImageSize, ProcessedImages } from "./image-processor.ts";

/** Upstream's absolute maximum of a side. */
const MAX_IMAGE_SIZE = 4096;

/** Longest edge to `longest_edge` (small pictures grow), the other even; then below the absolute maximum. */
function firstTarget({ width, height }: ImageSize, longest: number): ImageSize {
  const ratio = width / height;
  let to: { width: number; height: number };
  if (width >= height) {
    to = { width: longest, height: Math.trunc(longest / ratio) };
    to.height += to.height % 2;
  } else {
    to = { height: longest, width: Math.trunc(longest * ratio) };
    to.width += to.width % 2;
  }
  to = { width: Math.max(to.width, 1), height: Math.max(to.height, 1) };
  const second = to.width / to.height;
  if (to.width >= to.height && to.width > MAX_IMAGE_SIZE) {
    to = { width: MAX_IMAGE_SIZE, height: Math.trunc(MAX_IMAGE_SIZE / second) };
  } else if (to.height > to.width && to.height > MAX_IMAGE_SIZE) {
    to = { height: MAX_IMAGE_SIZE, width: Math.trunc(MAX_IMAGE_SIZE * second) };
  }
  return { width: Math.max(to.width, 1), height: Math.max(to.height, 1) };
}

/** Both edges up to multiples of a tile. */
function secondTarget({ width, height }: ImageSize, tile: number): ImageSize {
  const ratio = width / height;
  const up = (value: number): number => Math.ceil(value / tile) * tile;
  if (width >= height) {
    const wide = up(width);
    return { width: wide, height: up(Math.trunc(wide / ratio)) };
  }
  const high = up(height);
  return { height: high, width: up(Math.trunc(high * ratio)) };
}

/** Where the two resizes take a picture, and its rows and columns of tiles: 0 where it stays one frame. */
export function idefics3Plan(
  image: ImageSize,
  { size, max_image_size: max, do_resize, do_image_splitting }: PreprocessorConfig,
): { readonly first: ImageSize; readonly second: ImageSize; readonly rows: number; readonly cols: number } {
  const tile = max.longest_edge ?? 364;
  let first = image;
  if (do_resize) {
    if (size.longest_edge !== undefined) first = firstTarget(image, size.longest_edge);
    else first = { width: size.width ?? tile, height: size.height ?? tile };
  }
  if (!do_image_splitting) return { first, second: { width: tile, height: tile }, rows: 0, cols: 0 };
  const second = secondTarget(first, tile);
  const split = second.height > tile || second.width > tile;
  return { first, second, rows: split ? second.height / tile : 0, cols: split ? second.width / tile : 0 };
}

/**
 * Idefics3 and SmolVLM: two resizes with 8 bits between, tiles row by row, then the whole picture as one tile.
 *
 * Source: transformers, models/idefics3/image_processing_pil_idefics3.py.
 */
export function processIdefics3(
  images: readonly RgbImage[],
  config: PreprocessorConfig,
  rows: ResizeRows,
): Omit<ProcessedImages, "num_image_tokens"> {
  const { resample } = config;
  const tile = config.max_image_size.longest_edge ?? 364;
  const plans = images.map((image) => idefics3Plan(image, config));
  const frames = images.flatMap((image, n) => {
    const plan = plans[n];
    if (plan === undefined) return [];
    const first = resize(image, { ...checkTarget(plan.first), resample }, rows);
    const second = resize(first, { ...checkTarget(plan.second), resample }, rows);
    if (plan.rows === 0) return [second];
    const tiles: RgbImage[] = [];
    for (let row = 0; row < plan.rows; row += 1) {
      for (let col = 0; col < plan.cols; col += 1) tiles.push(crop(second, col * tile, row * tile, tile, tile));
    }
    tiles.push(resize(second, { width: tile, height: tile, resample }, rows));
    return tiles;
  });
  const { pixels, shape, valid } = stackFrames(frames);
  return {
    pixels,
    shape: [1, ...shape],
    ...(valid === undefined ? {} : { valid }),
    rows: plans.map((plan) => plan.rows),
    cols: plans.map((plan) => plan.cols),
    masked: config.do_pad,
  };
}
