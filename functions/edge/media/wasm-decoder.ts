import { FoveaError } from "../../../shared/errors/error.ts";
import type { ImageHeader } from "../../../shared/image/header/image-header.ts";
import type { DecodedPicture, PictureDecoder } from "../../../shared/image/picture-decoder.ts";
import type { CodecModules } from "./codec-modules.ts";
import { decodeBmp } from "./codecs/bmp.ts";
import { decodeGif } from "./codecs/gif.ts";
import { decodeJpeg } from "./codecs/jpeg.ts";
import { startNativeCodec, type NativeCodec } from "./codecs/native-codec.ts";
import { decodePng } from "./codecs/png.ts";
import { decodeWebp } from "./codecs/webp.ts";

/**
 * Bytes of a codec's heap that may stay while another codec works. Heaps never shrink, so a larger one is let go:
 * two pictures of the largest size in two formats must not add up.
 */
const MAX_IDLE_HEAP_BYTES = 8 * 1024 * 1024;

/**
 * Decoding inside the Worker: PNG, JPEG and WebP by wasm codecs, GIF and BMP by a few lines.
 *
 * A codec starts when it is first needed. It is let go after a failure, since what a trap leaves in its heap is unknown.
 */
export function createWasmDecoder(modules: CodecModules): PictureDecoder {
  const codecs: { png?: NativeCodec | undefined; jpeg?: NativeCodec | undefined; webp?: NativeCodec | undefined } = {};

  function decode(bytes: Uint8Array, header: ImageHeader): DecodedPicture {
    switch (header.format) {
      case "png":
        codecs.png ??= startNativeCodec(modules.png, "PNG");
        return decodePng(codecs.png, bytes, header);
      case "jpeg":
        codecs.jpeg ??= startNativeCodec(modules.jpeg, "JPEG");
        return decodeJpeg(codecs.jpeg, bytes, header);
      case "webp":
        codecs.webp ??= startNativeCodec(modules.webp, "WebP");
        return decodeWebp(codecs.webp, bytes, header);
      case "gif":
        return decodeGif(bytes, header);
      case "bmp":
        return decodeBmp(bytes, header);
      case "avif":
        throw new FoveaError("unsupported_image", "AVIF files are not supported here. Send PNG, JPEG, WebP or GIF.");
      default:
        return header.format satisfies never;
    }
  }

  function letGo(keep: ImageHeader["format"]): void {
    for (const name of ["png", "jpeg", "webp"] as const) {
      if (name !== keep && (codecs[name]?.heapBytes() ?? 0) > MAX_IDLE_HEAP_BYTES) codecs[name] = undefined;
    }
  }

  return {
    name: "wasm",
    // Promised, so that what a codec throws is a rejection
    // eslint-disable-next-line typescript/require-await
    async decode(bytes, header) {
      letGo(header.format);
      try {
        return decode(bytes, header);
      } catch (error) {
        if (header.format === "png" || header.format === "jpeg" || header.format === "webp") {
          codecs[header.format] = undefined;
        }
        if (error instanceof FoveaError) throw error;
        throw new FoveaError("invalid_image", "The picture file is damaged.", { cause: error });
      }
    },
  };
}
