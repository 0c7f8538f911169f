import jpeg from "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm";
import png from "@jsquash/png/codec/pkg/squoosh_png_bg.wasm?module";
import webp from "@jsquash/webp/codec/dec/webp_dec.wasm";
import type { CodecModules } from "./codec-modules.ts";

/** workerd compiles no wasm at run time: modules are compiled at upload and imported. */
export const codecModules: CodecModules = { png, jpeg, webp };
