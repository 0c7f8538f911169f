/** A wasm file imported by a Worker is compiled at deploy time. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
