/** The compiled wasm of the picture path. Where it comes from is the runtime's business: imports in workerd, files in Node. */
export interface CodecModules {
  /** libjpeg-turbo, libspng and libwebp. */
  readonly codecs: WebAssembly.Module;
  /** Pillow's resize with SIMD. */
  readonly resample: WebAssembly.Module;
}
