/** The compiled codecs. Where they come from is the runtime's business: static imports in workerd, files in Node. */
export interface CodecModules {
  readonly png: WebAssembly.Module;
  readonly jpeg: WebAssembly.Module;
  readonly webp: WebAssembly.Module;
}
