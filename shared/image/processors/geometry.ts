import { FoveaError } from "../../errors/error.ts";
import { MAX_PROCESSED_PIXELS } from "../../limits/image.ts";
import type { SizeDict } from "./config.ts";
import type { ImageSize } from "./image-processor.ts";

/** Refuses a target that would take too much memory. @throws FoveaError `image_too_large` */
export function checkTarget(size: ImageSize): ImageSize {
  if (size.width < 1 || size.height < 1) {
    throw new FoveaError("invalid_image", "The picture is too narrow for this model: a side would shrink to nothing.");
  }
  if (size.width * size.height > MAX_PROCESSED_PIXELS) {
    throw new FoveaError(
      "image_too_large",
      "The picture's shape makes the model's input too large. Send a less elongated or smaller picture.",
    );
  }
  return size;
}

/** Python's `round`: half to even. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * Where `size` of a config takes a picture. Every division and truncation in upstream's order: a product of 299.9999
 * must not become 300.
 *
 * Source: transformers, image_processing_backends.py (`PilBackend.resize`), image_transforms.py.
 */
export function resizeTarget(image: ImageSize, size: SizeDict): ImageSize {
  if (size.shortest_edge !== undefined && size.longest_edge !== undefined) {
    return withAspectRatio(image, size.shortest_edge, size.longest_edge);
  }
  if (size.shortest_edge !== undefined) return shortestEdge(image, size.shortest_edge);
  if (size.max_height !== undefined && size.max_width !== undefined) {
    const scale = Math.min(size.max_height / image.height, size.max_width / image.width);
    return { height: Math.trunc(image.height * scale), width: Math.trunc(image.width * scale) };
  }
  if (size.height !== undefined && size.width !== undefined) return { height: size.height, width: size.width };
  throw new FoveaError("not_configured", "The release's preprocessor_config.json has a size that cannot be read.");
}

/** `get_resize_output_image_size`: the short side becomes `edge`, the long one keeps the ratio, truncated. */
function shortestEdge({ width, height }: ImageSize, edge: number): ImageSize {
  const long = Math.trunc((edge * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? { width: edge, height: long } : { width: long, height: edge };
}

/** `get_size_with_aspect_ratio`: as above, but the long side stays within `longest`. */
function withAspectRatio({ width, height }: ImageSize, shortest: number, longest: number): ImageSize {
  const min = Math.min(width, height);
  const max = Math.max(width, height);
  let edge = shortest;
  let exact = shortest;
  if ((max / min) * shortest > longest) {
    exact = (longest * min) / max;
    edge = roundHalfEven(exact);
  }
  if ((height <= width && height === edge) || (width <= height && width === edge)) return { width, height };
  if (width < height) return { width: edge, height: Math.trunc((exact * height) / width) };
  return { width: Math.trunc((exact * width) / height), height: edge };
}
