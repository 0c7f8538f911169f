import { FoveaError } from "../../../shared/errors/error.ts";
import type { ImageHeader } from "../../../shared/image/header/image-header.ts";
import type { DecodedPicture, PictureDecoder } from "../../../shared/image/picture-decoder.ts";
import type { CodecModules } from "./codec-modules.ts";
import { decodeBmp } from "./codecs/bmp.ts";
import { decodeGif } from "./codecs/gif.ts";
import { decodeJpeg } from "./codecs/jpeg.ts";
import { PictureHeap } from "./codecs/picture-heap.ts";
import { decodePng } from "./codecs/png.ts";
import { decodeWebp } from "./codecs/webp.ts";

/** Decoding inside the Worker, all on one heap: PNG, JPEG and WebP by wasm codecs, GIF and BMP by a few lines. */
export function createWasmDecoder({ codecs }: Pick<CodecModules, "codecs">): PictureDecoder {
  const heap = new PictureHeap(codecs);

  function decode(bytes: Uint8Array, header: ImageHeader): DecodedPicture {
    switch (header.format) {
      case "png":
        return decodePng(heap, bytes, header);
      case "jpeg":
        return decodeJpeg(heap, bytes, header);
      case "webp":
        return decodeWebp(heap, bytes, header);
      case "gif":
        return decodeGif(heap, bytes, header);
      case "bmp":
        return decodeBmp(heap, bytes, header);
      case "avif":
        throw new FoveaError("unsupported_image", "AVIF files are not supported here. Send PNG, JPEG, WebP or GIF.");
      default:
        return header.format satisfies never;
    }
  }

  return {
    name: "wasm",
    // Promised, so that what a codec throws is a rejection
    // eslint-disable-next-line typescript/require-await
    async decode(bytes, header) {
      try {
        return decode(bytes, header);
      } catch (error) {
        if (error instanceof FoveaError) throw error;
        throw new FoveaError("invalid_image", "The picture file is damaged.", { cause: error });
      }
    },
  };
}
