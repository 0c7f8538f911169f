import { crop, placeOn } from "../raster.ts";
import { resize } from "../resample/resize.ts";
import type { RgbImage } from "../rgb-image.ts";
import { centerCrop, padToSquare, resizeTo, stackFrames } from "./clip.ts";
import type { PreprocessorConfig } from "./config.ts";
import { checkTarget } from "./geometry.ts";
import type { ImageSize, ProcessedImages } from "./image-processor.ts";

/**
 * The grid that keeps most of the picture's pixels, then the one that wastes least.
 *
 * Source: transformers, image_processing_utils.py (`select_best_resolution`).
 */
export function selectBestResolution(
  { width, height }: ImageSize,
  pinpoints: PreprocessorConfig["image_grid_pinpoints"],
): ImageSize {
  let best: ImageSize = { height: pinpoints[0]?.[0] ?? 0, width: pinpoints[0]?.[1] ?? 0 };
  let most = 0;
  let least = Infinity;
  for (const [gridHeight, gridWidth] of pinpoints) {
    const scale = Math.min(gridWidth / width, gridHeight / height);
    const kept = Math.min(Math.trunc(width * scale) * Math.trunc(height * scale), width * height);
    const wasted = gridWidth * gridHeight - kept;
    if (kept > most || (kept === most && wasted < least)) {
      best = { height: gridHeight, width: gridWidth };
      most = kept;
      least = wasted;
    }
  }
  return best;
}

/** `get_patch_output_size`: the picture scaled into a grid, the side that does not fill it rounded up. */
function fitInto({ width, height }: ImageSize, grid: ImageSize): ImageSize {
  const scaleWidth = grid.width / width;
  const scaleHeight = grid.height / height;
  if (scaleWidth < scaleHeight) {
    return { width: grid.width, height: Math.min(Math.ceil(height * scaleWidth), grid.height) };
  }
  return { height: grid.height, width: Math.min(Math.ceil(width * scaleHeight), grid.width) };
}

/** Side of a tile. */
export function tileSide({ crop_size: cropSize, size }: PreprocessorConfig): number {
  return cropSize?.height ?? size.height ?? size.shortest_edge ?? 0;
}

/** The whole picture small, then the tiles of the grid it is scaled into, row by row, on black. */
function tilesOf(image: RgbImage, config: PreprocessorConfig): RgbImage[] {
  const { size, resample } = config;
  const edge = size.shortest_edge ?? 0;
  const base = checkTarget({ height: size.height ?? edge, width: size.width ?? edge });
  const grid = checkTarget(selectBestResolution(image, config.image_grid_pinpoints));
  const fitted = resize(image, { ...fitInto(image, grid), resample });
  // Upstream asks for the fitted size once more, of the fitted picture
  const again = fitInto(fitted, grid);
  const left = Math.floor((grid.width - again.width) / 2);
  const top = Math.floor((grid.height - again.height) / 2);
  const ground = placeOn(fitted, { ...grid, color: [0, 0, 0] }, left, top);
  const tile = tileSide(config);
  const tiles = [resize(image, { ...base, resample })];
  for (let y = 0; y < grid.height; y += tile) {
    for (let x = 0; x < grid.width; x += tile) {
      tiles.push(crop(ground, x, y, Math.min(tile, grid.width - x), Math.min(tile, grid.height - y)));
    }
  }
  return tiles;
}

/**
 * LLaVA-NeXT and LLaVA-OneVision: a base view and the tiles of a grid that suits the picture's shape (anyres).
 * OneVision tiles only a picture that is alone; several are squared with the mean colour, one frame each.
 *
 * Source: transformers, models/llava_next and models/llava_onevision (`*Pil` image processors).
 */
export function processLlavaNext(
  images: readonly RgbImage[],
  config: PreprocessorConfig,
  imagesInRequest: number,
): Omit<ProcessedImages, "num_image_tokens"> {
  const tiled = config.type === "LlavaNextImageProcessor" || imagesInRequest === 1;
  const pictures = images.map((image) => {
    const tiles = tiled ? tilesOf(image, config) : [padToSquare(image, config.image_mean)];
    return tiles.map((tile) => {
      const resized = config.do_resize ? resizeTo(tile, config.size, config) : tile;
      return config.do_center_crop && config.crop_size !== undefined ? centerCrop(resized, config.crop_size) : resized;
    });
  });
  const most = Math.max(...pictures.map((tiles) => tiles.length));
  const { pixels, shape } = stackFrames(pictures.flat());
  const [, , height = 0, width = 0] = shape;
  const image_sizes = images.map((image) => [image.height, image.width] as const);
  const outer = [images.length, most, 3, height, width];
  if (pictures.every((tiles) => tiles.length === most)) return { pixels, shape: outer, image_sizes, masked: false };

  // The tile axis is padded to the picture with most tiles, after normalization
  const frame = 3 * height * width;
  checkTarget({ width, height: height * most * images.length });
  const padded = new Uint8Array(images.length * most * frame);
  const valid: (readonly [number, number])[] = [];
  let from = 0;
  pictures.forEach((tiles, n) => {
    padded.set(pixels.subarray(from, from + tiles.length * frame), n * most * frame);
    from += tiles.length * frame;
    for (let t = 0; t < most; t += 1) valid.push(t < tiles.length ? [height, width] : [0, 0]);
  });
  return { pixels: padded, shape: outer, valid, image_sizes, masked: false };
}
