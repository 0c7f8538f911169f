import { env } from "cloudflare:test";
import { describePictureDecoder } from "../../../test/golden/pixels/picture-decoder-contract.ts";
import { codecModules } from "./codec-modules.workerd.ts";
import { createImagesDecoder } from "./images-decoder.ts";
import { createWasmDecoder } from "./wasm-decoder.ts";

describePictureDecoder(
  () => createImagesDecoder((env as unknown as { IMAGES: ImagesBinding }).IMAGES, createWasmDecoder(codecModules)),
  { lacks: /^bmp|cmyk/ },
);
