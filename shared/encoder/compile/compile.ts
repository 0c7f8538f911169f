import { lower } from "../graph/lower.ts";
import { UnsupportedGraph } from "../graph/unsupported.ts";
import type { Steps } from "../graph/steps.ts";
import { readOnnx } from "../onnx/graph.ts";
import { OnnxError } from "../onnx/protobuf.ts";

/**
 * `vision_encoder.onnx` -> steps, or the reason why the runtime cannot run it: node and operator, or what of the file cannot be
 * read, which may be damage or a part of ONNX that encoders do not have. `externalData`: the files beside it by the name that the
 * graph uses.
 */
export function compileGraph(
  onnx: Uint8Array,
  externalData: ReadonlyMap<string, Uint8Array> = new Map(),
): { readonly steps: Steps } | { readonly unsupported: string } {
  try {
    return { steps: lower(readOnnx(onnx, externalData)) };
  } catch (thrown) {
    if (thrown instanceof UnsupportedGraph || thrown instanceof OnnxError) return { unsupported: thrown.message };
    throw thrown;
  }
}
