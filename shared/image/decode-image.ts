import { toOpaqueRgb, type Transparency } from "./composite.ts";
import { checkImageFileSize, checkImageLimits } from "./header/check-image-limits.ts";
import { readImageHeader } from "./header/read-image-header.ts";
import { orient } from "./orient.ts";
import type { PictureDecoder } from "./picture-decoder.ts";
import type { RgbImage } from "./rgb-image.ts";

export interface DecodeOptions {
  /** `ImageProcessor.transparency` of the model that will see the picture; `composite` if absent. */
  readonly transparency?: Transparency;
}

/**
 * A picture file -> upright, opaque RGB: header, limits, decode, transparency, orientation.
 *
 * The result may lie on the decoder's heap: it is valid until the decoder's next call.
 *
 * @throws FoveaError `invalid_image`, `unsupported_image`, `image_too_small`, `image_too_large`
 */
export async function decodeImage(
  bytes: Uint8Array,
  decoder: PictureDecoder,
  options: DecodeOptions = {},
): Promise<RgbImage> {
  checkImageFileSize(bytes.length);
  const header = readImageHeader(bytes);
  checkImageLimits(header);
  const picture = await decoder.decode(bytes, header);
  const data = toOpaqueRgb(picture, options.transparency ?? "composite");
  const image: RgbImage = { data, width: picture.width, height: picture.height };
  return picture.upright ? image : orient(image, header.orientation);
}
