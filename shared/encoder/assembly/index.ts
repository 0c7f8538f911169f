/** What the driver (../runtime.ts) may call. No function allocates, and none touches memory that its operands do not name. */
export { quantize8, quantize16, pack32 } from "./quantize";
export { linear } from "./linear";
export { attention } from "./attention";
export { layerNorm, combine, map, mean, copy } from "./elementwise";
// Exported so that they stay functions (see tile.ts), and for their tests and the bench.
export { hasDot7, usePairs, tile7, tile7Left, tile16, tile32 } from "./tile";
