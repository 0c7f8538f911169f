import type { PlannedFile } from "./file-plan.ts";

const MIB = 1024 * 1024;

/**
 * Peak of a vision encoder in onnxruntime-web: 16 MB of runtime, the graph's weights 2.15 times when they are inside the
 * graph and 1.4 times when they are external data, and the JavaScript copy while the session is made (measured with 1.30).
 */
export function encoderMemoryBytes(weightBytes: number, externalData: boolean, dtype: string): number {
  return Math.ceil(16 * MIB + residentBytes(weightBytes, dtype) * (externalData ? 1.4 : 2.15) + weightBytes);
}

/**
 * What no session can do without: runtime, weights, the largest picture in 8 bits, and what one of its `runs` takes of it, as float32 and
 * as float32 once more in the runtime's heap. An encoder of which this does not fit is not worth a try.
 */
export function encoderFloorBytes(weightBytes: number, dtype: string, pixelBytes: number, runs: number): number {
  return 16 * MIB + residentBytes(weightBytes, dtype) + pixelBytes + (8 * pixelBytes) / runs;
}

/** Half-precision weights are cast to float32 once, when the session folds its constants. */
function residentBytes(weightBytes: number, dtype: string): number {
  return dtype === "fp16" ? 2 * weightBytes : weightBytes;
}

/** onnxruntime-node holds the weights once, and once more while it packs them for its kernels. */
export function backboneMemoryBytes(weightBytes: number): number {
  return 2 * weightBytes;
}

/** Parsed text (JSON, templates, a vocabulary) takes about four times its bytes in V8. */
export function textMemoryBytes(names: readonly string[], files: ReadonlyMap<string, PlannedFile>): number {
  return 4 * names.reduce((sum, name) => sum + (files.get(name)?.size ?? 0), 0);
}
