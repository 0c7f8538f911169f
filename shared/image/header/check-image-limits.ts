import { FoveaError } from "../../errors/error.ts";
import {
  MAX_HEAVY_IMAGE_PIXELS,
  MAX_IMAGE_FILE_BYTES,
  MAX_IMAGE_FRAMES,
  MAX_IMAGE_PIXELS,
  MAX_IMAGE_SIDE,
  MAX_REQUEST_PIXELS,
  MIN_IMAGE_SIDE,
} from "../../limits/image.ts";
import { swapsSides, type ImageHeader } from "./image-header.ts";

/** Refuses a file that is too long to look at. @throws FoveaError `image_too_large`, `invalid_image` */
export function checkImageFileSize(bytes: number): void {
  if (bytes === 0) throw new FoveaError("invalid_image", "The picture file is empty.");
  if (bytes > MAX_IMAGE_FILE_BYTES) {
    throw new FoveaError("image_too_large", `A picture file may have at most ${MAX_IMAGE_FILE_BYTES} bytes.`);
  }
}

/** Refuses a picture by what its header says, before any decoder runs. @throws FoveaError `image_too_small`, `image_too_large` */
export function checkImageLimits({ format, width, height, frames, orientation }: ImageHeader): void {
  if (width < MIN_IMAGE_SIDE || height < MIN_IMAGE_SIDE) {
    throw new FoveaError(
      "image_too_small",
      `The picture has ${width} x ${height} pixels; each side needs at least ${MIN_IMAGE_SIDE}.`,
    );
  }
  if (width > MAX_IMAGE_SIDE || height > MAX_IMAGE_SIDE || width * height > MAX_IMAGE_PIXELS) {
    throw new FoveaError(
      "image_too_large",
      `The picture has ${width} x ${height} pixels; at most ${MAX_IMAGE_PIXELS} in all and ${MAX_IMAGE_SIDE} a side. Scale it down.`,
    );
  }
  if (format !== "jpeg" && swapsSides(orientation) && width * height > MAX_HEAVY_IMAGE_PIXELS) {
    throw new FoveaError("image_too_large", "The picture is too large to be turned by its EXIF data. Send it upright.");
  }
  if (frames > MAX_IMAGE_FRAMES) {
    throw new FoveaError("image_too_large", `The animation has more than ${MAX_IMAGE_FRAMES} frames.`);
  }
}

/** Refuses a request whose pictures add up to too much work. @throws FoveaError `image_too_large` */
export function checkRequestPixels(headers: readonly ImageHeader[]): void {
  const pixels = headers.reduce((sum, { width, height }) => sum + width * height, 0);
  if (pixels > MAX_REQUEST_PIXELS) {
    throw new FoveaError(
      "image_too_large",
      `The pictures of one request may have at most ${MAX_REQUEST_PIXELS} pixels in all.`,
    );
  }
}
