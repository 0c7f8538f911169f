import { env } from "cloudflare:workers";
import type { PictureDecoder } from "../../../shared/image/picture-decoder.ts";
import { codecModules } from "./codec-modules.workerd.ts";
import { createImagesDecoder } from "./images-decoder.ts";
import { createWasmDecoder } from "./wasm-decoder.ts";

/**
 * The decoder of a deployed Worker: wasm for all that it reads, with Pillow's numbers; AVIF by the Images binding, where
 * the account has bound one as `IMAGES`.
 */
export function createEdgeDecoder(wasm: PictureDecoder, images: ImagesBinding | undefined): PictureDecoder {
  if (images === undefined) return wasm;
  const binding = createImagesDecoder(images, wasm);
  return {
    name: `${wasm.name} and ${binding.name}`,
    decode: (bytes, header) => (header.format === "avif" ? binding : wasm).decode(bytes, header),
  };
}

export const edgeDecoder: PictureDecoder = createEdgeDecoder(
  createWasmDecoder(codecModules),
  (env as { readonly IMAGES?: ImagesBinding }).IMAGES,
);
