import { compileAssemblyScript } from "./asc.ts";
import type { WasmTarget } from "./target.ts";

/** Pillow's resize with SIMD. */
export const target: WasmTarget = {
  name: "image",
  async build() {
    const flags = ["--enable", "simd", "--importMemory"];
    const wasm = await compileAssemblyScript("shared/image/assembly/index.ts", flags);
    return new Map([["shared/image/resample/resample.wasm", wasm]]);
  },
};
