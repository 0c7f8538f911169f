import { FoveaError } from "../../errors/error.ts";
import type { ResizeRows } from "../resample/resize.ts";
import type { RgbImage } from "../rgb-image.ts";
import { processClip } from "./clip.ts";
import type { PreprocessorConfig } from "./config.ts";
import { checkTarget } from "./geometry.ts";
import type { ImageSize, ProcessedImages } from "./image-processor.ts";
import { tileWriter } from "./writers.ts";

export interface TileGrid {
  readonly columns: number;
  readonly rows: number;
}

/** Whether pictures are cut into tiles at all. */
function crops({ crop_to_patches, max_patches }: PreprocessorConfig): boolean {
  return crop_to_patches && max_patches > 1;
}

/** @throws FoveaError `not_configured` for a size that is not a tile's */
function tileOf({ size: { width, height } }: PreprocessorConfig): ImageSize {
  if (width !== undefined && height !== undefined) return { width, height };
  throw new FoveaError("not_configured", "The release's preprocessor_config.json has no height and width of a tile.");
}

/**
 * The grid of `min_patches` to `max_patches` tiles whose shape is nearest to the picture's. Of equal shapes the one with
 * more tiles, as long as the picture has more than half of its pixels.
 *
 * Source: transformers, models/got_ocr2 (`get_optimal_tiled_canvas`).
 */
function optimalGrid({ width, height }: ImageSize, config: PreprocessorConfig): TileGrid {
  const { min_patches: min, max_patches: max } = config;
  const tile = tileOf(config);
  const grids: TileGrid[] = [];
  for (let columns = 1; columns <= max; columns += 1) {
    for (let rows = Math.ceil(min / columns); columns * rows <= max; rows += 1) grids.push({ columns, rows });
  }
  grids.sort((a, b) => a.columns * a.rows - b.columns * b.rows);
  let best: TileGrid = { columns: 1, rows: 1 };
  let least = Infinity;
  for (const grid of grids) {
    const difference = Math.abs(width / height - grid.columns / grid.rows);
    const fills = width * height > 0.5 * tile.width * tile.height * grid.columns * grid.rows;
    if (difference < least || (difference === least && fills)) best = grid;
    least = Math.min(least, difference);
  }
  return best;
}

/** Frames that the encoder sees of a picture: the tiles of its grid and a thumbnail, or itself alone. */
export function gotOcr2Frames(image: ImageSize, config: PreprocessorConfig): number {
  if (!crops(config)) return 1;
  const { columns, rows } = optimalGrid(image, config);
  return columns * rows === 1 ? 1 : columns * rows + 1;
}

/**
 * InternVL: the picture squeezed into a grid of tiles, row by row, then squeezed into one tile (the thumbnail). All frames
 * of all pictures stand one after another, `[frames, 3, H, W]`.
 *
 * Source: transformers, models/got_ocr2/image_processing_pil_got_ocr2.py.
 */
export function processGotOcr2(
  images: readonly RgbImage[],
  config: PreprocessorConfig,
  rows: ResizeRows,
): Omit<ProcessedImages, "num_image_tokens"> {
  if (!crops(config)) return processClip(images, config, rows, undefined);
  const tile = tileOf(config);
  const { resample } = config;
  const counts = images.map((image) => gotOcr2Frames(image, config));
  const frames = counts.reduce((sum, count) => sum + count, 0);
  checkTarget({ width: tile.width, height: tile.height * frames });
  const frame = 3 * tile.width * tile.height;
  const pixels = new Uint8Array(frames * frame);
  let at = 0;
  for (const image of images) {
    const squeezeInto = (grid: TileGrid): void => {
      const target = { width: tile.width * grid.columns, height: tile.height * grid.rows };
      rows(image, { ...target, resample }, tileWriter({ into: pixels, at, ...tile, ...grid }, { left: 0, top: 0 }));
      at += grid.columns * grid.rows * frame;
    };
    const grid = optimalGrid(image, config);
    squeezeInto(grid);
    if (grid.columns * grid.rows > 1) squeezeInto({ columns: 1, rows: 1 });
  }
  return { pixels, shape: [frames, 3, tile.height, tile.width], masked: false };
}
