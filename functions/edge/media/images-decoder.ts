import { FoveaError } from "../../../shared/errors/error.ts";
import { checkImageFileSize, checkImageLimits } from "../../../shared/image/header/check-image-limits.ts";
import { readImageHeader } from "../../../shared/image/header/read-image-header.ts";
import type { PictureDecoder } from "../../../shared/image/picture-decoder.ts";
import { withoutOrientation } from "../../../shared/image/without-orientation.ts";

/**
 * Decoding by the Cloudflare Images binding: it reads AVIF too, and its heap is not ours. It answers with a PNG, lossless
 * and with its own size, that `png` reads. Its other numbers (chroma upsampling, colour profiles) are not Pillow's to the
 * bit, so a release whose tests ask for that decodes by wasm.
 */
export function createImagesDecoder(images: ImagesBinding, png: PictureDecoder): PictureDecoder {
  return {
    name: "images-binding",
    async decode(bytes, header) {
      if (header.format === "bmp" || header.color === "cmyk") {
        throw new FoveaError(
          "unsupported_image",
          "BMP and CMYK files are not supported here. Send it as RGB PNG or JPEG.",
        );
      }
      const converted = await convert(images, withoutOrientation(bytes, header));
      checkImageFileSize(converted.length);
      const convertedHeader = readImageHeader(converted);
      checkImageLimits(convertedHeader);
      if (convertedHeader.width * convertedHeader.height !== header.width * header.height) {
        throw new FoveaError("invalid_image", "The picture file is damaged: its size is not what it says.");
      }
      const picture = await png.decode(converted, { ...convertedHeader, orientation: 1 });
      return { ...picture, upright: header.format === "avif" };
    },
  };
}

async function convert(images: ImagesBinding, bytes: Uint8Array): Promise<Uint8Array> {
  try {
    const stream = new Blob([new Uint8Array(bytes)]).stream() as ReadableStream<Uint8Array>;
    const result = await images.input(stream).output({ format: "image/png" });
    return new Uint8Array(await result.response().arrayBuffer());
  } catch (cause) {
    // An error with a number is the binding's answer to these bytes; any other is that it cannot be reached
    if (cause instanceof Error && "code" in cause && typeof cause.code === "number") {
      throw new FoveaError("invalid_image", "The picture file is damaged.", { cause });
    }
    throw new FoveaError("overloaded", "Pictures cannot be read right now. Try again shortly.", { cause });
  }
}
