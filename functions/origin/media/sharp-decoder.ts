import sharp from "sharp";
import { FoveaError } from "../../../shared/errors/error.ts";
import { swapsSides } from "../../../shared/image/header/image-header.ts";
import type { PictureDecoder } from "../../../shared/image/picture-decoder.ts";
import { MAX_IMAGE_PIXELS } from "../../../shared/limits/image.ts";

/**
 * Decoding by libvips, for pictures that arrive at the origin. It reads AVIF, and no BMP. Colour profiles are left alone
 * and 16-bit samples keep their high byte, as in the other decoders. CMYK is refused: libvips converts it by a profile,
 * which moves samples by 15 levels from Pillow's arithmetic.
 */
export function createSharpDecoder(): PictureDecoder {
  // A picture is seen once: nothing to cache
  sharp.cache(false);
  return {
    name: "sharp",
    async decode(bytes, header) {
      if (header.format === "bmp" || header.color === "cmyk") {
        throw new FoveaError(
          "unsupported_image",
          "BMP and CMYK files are not supported here. Send it as RGB PNG or JPEG.",
        );
      }
      const turned = header.format === "avif" && swapsSides(header.orientation);
      try {
        const { data, info } = await sharp(bytes, {
          limitInputPixels: MAX_IMAGE_PIXELS,
          failOn: "error",
          autoOrient: false,
          ignoreIcc: true,
          pages: 1,
        })
          .toColourspace("srgb")
          .raw({ depth: "uchar" })
          .toBuffer({ resolveWithObject: true });
        const [width, height] = turned ? [header.height, header.width] : [header.width, header.height];
        if (info.width !== width || info.height !== height || (info.channels !== 3 && info.channels !== 4)) {
          throw new FoveaError("invalid_image", "The picture file is damaged: its size is not what it says.");
        }
        return { data, width, height, channels: info.channels, upright: header.format === "avif" };
      } catch (cause) {
        if (cause instanceof FoveaError) throw cause;
        throw new FoveaError("invalid_image", "The picture file is damaged.", { cause });
      }
    },
  };
}
