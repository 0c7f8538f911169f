import resample from "../../../shared/image/resample/resample.wasm";
import type { CodecModules } from "./codec-modules.ts";
import jpeg from "./codecs/jpeg.wasm";
import png from "./codecs/png.wasm";
import webp from "./codecs/webp.wasm";

/** workerd compiles no wasm at run time: modules are compiled at upload and imported. */
export const codecModules: CodecModules = { png, jpeg, webp, resample };
