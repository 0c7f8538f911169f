import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { CodecModules } from "../../../functions/edge/media/codec-modules.ts";

const require = createRequire(import.meta.url);

/** The codecs of the edge, read from disk and compiled. */
export async function loadCodecModules(): Promise<CodecModules> {
  const compile = async (file: string): Promise<WebAssembly.Module> =>
    WebAssembly.compile(await readFile(require.resolve(file)));
  const [png, jpeg, webp] = await Promise.all([
    compile("@jsquash/png/codec/pkg/squoosh_png_bg.wasm"),
    compile("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm"),
    compile("@jsquash/webp/codec/dec/webp_dec.wasm"),
  ]);
  return { png, jpeg, webp };
}
