/** The compiled wasm of the picture path. Where it comes from is the runtime's business: imports in workerd, files in Node. */
export interface CodecModules {
  readonly png: WebAssembly.Module;
  readonly jpeg: WebAssembly.Module;
  readonly webp: WebAssembly.Module;
  /** Pillow's resize with SIMD. */
  readonly resample: WebAssembly.Module;
}
