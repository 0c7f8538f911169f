import { FoveaError } from "../../errors/error.ts";
import type { ResizeRows } from "../resample/resize.ts";
import type { RgbImage } from "../rgb-image.ts";
import { padToSquare } from "./clip.ts";
import type { PreprocessorConfig } from "./config.ts";
import { checkTarget } from "./geometry.ts";
import type { ImageSize, ProcessedImages } from "./image-processor.ts";
import { tileWriter } from "./writers.ts";

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

interface Picture {
  /** Tiles `[3, tile, tile]` one after the other: the base view first. */
  readonly tiles: number;
  write(into: Uint8Array, at: number): void;
}

/** The whole picture squeezed into one tile, then the tiles of the grid it is scaled into, row by row, on black. */
function tiledPicture(image: RgbImage, config: PreprocessorConfig, rows: ResizeRows): Picture {
  const { resample } = config;
  const side = tileSide(config);
  const grid = checkTarget(selectBestResolution(image, config.image_grid_pinpoints));
  const fitted = fitInto(image, grid);
  // Upstream asks for the fitted size once more, of the fitted picture
  const again = fitInto(fitted, grid);
  const offset = {
    left: Math.floor((grid.width - again.width) / 2),
    top: Math.floor((grid.height - again.height) / 2),
  };
  const frame = { width: side, height: side };
  const columns = grid.width / side;
  const tileRows = grid.height / side;
  return {
    tiles: 1 + columns * tileRows,
    write(into, at) {
      const base = { into, at, ...frame, columns: 1, rows: 1 };
      rows(image, { ...frame, resample }, tileWriter(base, { left: 0, top: 0 }));
      const tiles = { into, at: at + 3 * side * side, ...frame, columns, rows: tileRows };
      rows(image, { ...fitted, resample }, tileWriter(tiles, offset));
    },
  };
}

/** OneVision, several pictures: each squared with the mean colour. */
function squaredPicture(image: RgbImage, config: PreprocessorConfig, rows: ResizeRows): Picture {
  const side = tileSide(config);
  const frame = { width: side, height: side };
  return {
    tiles: 1,
    write(into, at) {
      const write = tileWriter({ into, at, ...frame, columns: 1, rows: 1 }, { left: 0, top: 0 });
      rows(padToSquare(image, config.image_mean), { ...frame, resample: config.resample }, write);
    },
  };
}

/**
 * Upstream resizes and crops every tile once more, which changes nothing when a tile has the size it is resized to, as in
 * all published configs. Others are refused rather than processed in another way.
 */
export function checkTiles(config: PreprocessorConfig): void {
  const side = tileSide(config);
  const { size, crop_size: cropSize } = config;
  const edges = [size.height ?? size.shortest_edge, size.width ?? size.shortest_edge];
  if (config.do_center_crop) edges.push(cropSize?.height, cropSize?.width);
  const divides = config.image_grid_pinpoints.every(([height, width]) => height % side === 0 && width % side === 0);
  if (!divides || edges.some((edge) => edge !== side)) {
    throw new FoveaError("not_configured", "The release's tiles, size and grid pinpoints do not fit each other.");
  }
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
  rows: ResizeRows,
): Omit<ProcessedImages, "num_image_tokens"> {
  const tiled = config.type === "LlavaNextImageProcessor" || imagesInRequest === 1;
  const pictures = images.map((image) =>
    tiled ? tiledPicture(image, config, rows) : squaredPicture(image, config, rows),
  );
  const side = tileSide(config);
  const frame = 3 * side * side;
  // The tile axis is padded to the picture with most tiles, after normalization
  const most = Math.max(...pictures.map(({ tiles }) => tiles));
  checkTarget({ width: side, height: side * most * images.length });
  const pixels = new Uint8Array(images.length * most * frame);
  for (const [n, picture] of pictures.entries()) picture.write(pixels, n * most * frame);
  const valid = pictures.flatMap(({ tiles }) =>
    Array.from({ length: most }, (_, t) => (t < tiles ? ([side, side] as const) : ([0, 0] as const))),
  );
  return {
    pixels,
    shape: [images.length, most, 3, side, side],
    ...(pictures.every(({ tiles }) => tiles === most) ? {} : { valid }),
    image_sizes: images.map((image) => [image.height, image.width] as const),
    masked: false,
  };
}
