import { crop } from "../raster.ts";
import { resize, type ResizeRows } from "../resample/resize.ts";
import type { RgbImage } from "../rgb-image.ts";
import { stackFrames } from "./clip.ts";
import type { PreprocessorConfig } from "./config.ts";
import { checkTarget } from "./geometry.ts";
import type { ImageSize, ProcessedImages } from "./image-processor.ts";

/** `get_resize_output_image_size` of Idefics2: the long side at most `longest_edge`, then both at least `shortest_edge`. */
function target({ width, height }: ImageSize, { size }: PreprocessorConfig): ImageSize {
  if (size.height !== undefined && size.width !== undefined) return { height: size.height, width: size.width };
  const min = size.shortest_edge ?? 0;
  const max = size.longest_edge ?? 0;
  const ratio = width / height;
  let to = { width, height };
  if (width >= height && width > max) to = { width: max, height: Math.trunc(max / ratio) };
  else if (height > width && height > max) to = { height: max, width: Math.trunc(max * ratio) };
  return { height: Math.max(to.height, min), width: Math.max(to.width, min) };
}

/**
 * Idefics2: optionally four quarters and the whole, each resized on its own and padded to the largest of the request.
 *
 * Source: transformers, models/idefics2/image_processing_pil_idefics2.py.
 */
export function processIdefics2(
  images: readonly RgbImage[],
  config: PreprocessorConfig,
  rows: ResizeRows,
): Omit<ProcessedImages, "num_image_tokens"> {
  const frames = images.flatMap((image) =>
    (config.do_image_splitting ? quarters(image) : [image]).map((part) =>
      config.do_resize ? resize(part, { ...checkTarget(target(part, config)), resample: config.resample }, rows) : part,
    ),
  );
  const { pixels, shape, valid } = stackFrames(frames);
  return { pixels, shape: [1, ...shape], ...(valid === undefined ? {} : { valid }), masked: config.do_pad };
}

function quarters(image: RgbImage): RgbImage[] {
  const midWidth = Math.floor(image.width / 2);
  const midHeight = Math.floor(image.height / 2);
  const restWidth = image.width - midWidth;
  const restHeight = image.height - midHeight;
  return [
    crop(image, 0, 0, midWidth, midHeight),
    crop(image, midWidth, 0, restWidth, midHeight),
    crop(image, 0, midHeight, midWidth, restHeight),
    crop(image, midWidth, midHeight, restWidth, restHeight),
    image,
  ];
}
