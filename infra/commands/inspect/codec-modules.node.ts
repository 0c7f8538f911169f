import { readFile } from "node:fs/promises";
import path from "node:path";
import type { CodecModules } from "../../../functions/edge/media/codec-modules.ts";
import { ROOT } from "../../paths.ts";

/** Node compiles what workerd imports. */
export async function loadCodecModules(): Promise<CodecModules> {
  const compile = async (file: string): Promise<WebAssembly.Module> =>
    WebAssembly.compile(await readFile(path.join(ROOT, file)));
  const [codecs, resample] = await Promise.all([
    compile("functions/edge/media/codecs/codecs.wasm"),
    compile("shared/image/resample/resample.wasm"),
  ]);
  return { codecs, resample };
}
