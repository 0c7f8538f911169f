import jpegFactory from "@jsquash/jpeg/codec/dec/mozjpeg_dec.js";
import webpFactory from "@jsquash/webp/codec/dec/webp_dec.js";
import { FoveaError } from "../../../shared/errors/error.ts";
import type { ImageHeader } from "../../../shared/image/header/image-header.ts";
import type { DecodedPicture, PictureDecoder } from "../../../shared/image/picture-decoder.ts";
import type { CodecModules } from "./codec-modules.ts";
import { decodeWith, startEmscripten, type JsquashDecoder } from "./codecs/emscripten.ts";
import { startPng, type PngDecoder } from "./codecs/png.ts";

/**
 * Decoding by wasm codecs: PNG, JPEG and WebP. A codec starts when it is first needed and is thrown away after a
 * failure: what a trap leaves in its heap is unknown.
 */
export function createWasmDecoder(modules: CodecModules): PictureDecoder {
  let png: PngDecoder | undefined;
  let jpeg: JsquashDecoder | undefined;
  let webp: JsquashDecoder | undefined;

  async function decode(bytes: Uint8Array, header: ImageHeader): Promise<DecodedPicture> {
    switch (header.format) {
      case "png":
        png ??= startPng(modules.png);
        return png.decode(bytes);
      case "jpeg":
        if (header.color === "cmyk") {
          throw new FoveaError("unsupported_image", "CMYK JPEG files are not supported. Send it as RGB.");
        }
        jpeg ??= await startEmscripten(jpegFactory, modules.jpeg);
        // Orientation is left alone: it is applied once, for all formats, after the decode
        return decodeWith(jpeg, "JPEG", bytes, false);
      case "webp":
        webp ??= await startEmscripten(webpFactory, modules.webp);
        return decodeWith(webp, "WebP", bytes);
      case "gif":
      case "avif":
      case "bmp":
        throw new FoveaError("unsupported_image", `${header.format.toUpperCase()} files are not supported here.`);
      default:
        return header.format satisfies never;
    }
  }

  return {
    name: "wasm",
    async decode(bytes, header) {
      try {
        return await decode(bytes, header);
      } catch (error) {
        if (header.format === "png") png = undefined;
        else if (header.format === "jpeg") jpeg = undefined;
        else if (header.format === "webp") webp = undefined;
        if (error instanceof FoveaError) throw error;
        throw new FoveaError("invalid_image", "The picture file is damaged.", { cause: error });
      }
    },
  };
}
