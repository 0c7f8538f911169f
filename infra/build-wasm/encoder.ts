import { compileAssemblyScript } from "./asc.ts";
import type { WasmTarget } from "./target.ts";

export const ENCODER_ENTRY = "shared/encoder/assembly/index.ts";
export const RELAXED = ["--enable", "simd,relaxed-simd", "--importMemory"];
/** What an isolate pays for the code; the source's own limit. */
const MAX_MODULE_BYTES = 64 * 1024;

/** The encoder runtime: with relaxed SIMD, and a plain SIMD build of the same source that gives the same bits. */
export const target: WasmTarget = {
  name: "encoder",
  async build() {
    const relaxed = await compileAssemblyScript(ENCODER_ENTRY, RELAXED);
    const plain = await compileAssemblyScript(ENCODER_ENTRY, ["--enable", "simd", "--importMemory"]);
    for (const module of [relaxed, plain]) {
      if (module.length > MAX_MODULE_BYTES)
        throw new Error(`encoder: ${module.length} bytes of wasm, not ${MAX_MODULE_BYTES}`);
    }
    return new Map([
      ["shared/encoder/encoder.wasm", relaxed],
      ["shared/encoder/encoder-plain.wasm", plain],
    ]);
  },
};
