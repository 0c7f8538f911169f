import resample from "../../../shared/image/resample/resample.wasm";
import type { CodecModules } from "./codec-modules.ts";
import codecs from "./codecs/codecs.wasm";

/** workerd compiles no wasm at run time: modules are compiled at upload and imported. */
export const codecModules: CodecModules = { codecs, resample };
