import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { CodecModules } from "../../../functions/edge/media/codec-modules.ts";

/** The codecs of the edge, read from disk and compiled. */
export async function loadCodecModules(): Promise<CodecModules> {
  const compile = async (file: string): Promise<WebAssembly.Module> =>
    WebAssembly.compile(await readFile(fileURLToPath(import.meta.resolve(file))));
  const [png, jpeg, webp, resample] = await Promise.all([
    compile("../../../functions/edge/media/codecs/png.wasm"),
    compile("../../../functions/edge/media/codecs/jpeg.wasm"),
    compile("../../../functions/edge/media/codecs/webp.wasm"),
    compile("../../../shared/image/resample/resample.wasm"),
  ]);
  return { png, jpeg, webp, resample };
}
