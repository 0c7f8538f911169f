import { lower } from "../graph/lower.ts";
import { UnsupportedGraph } from "../graph/unsupported.ts";
import type { Steps } from "../graph/steps.ts";
import { readOnnx } from "../onnx/graph.ts";

/**
 * `vision_encoder.onnx` -> steps, or the reason, with node and operator, why the runtime cannot run it. Throws OnnxError for a
 * file that is no ONNX graph. `externalData`: the files beside it by the name that the graph uses.
 */
export function compileGraph(
  onnx: Uint8Array,
  externalData: ReadonlyMap<string, Uint8Array> = new Map(),
): { readonly steps: Steps } | { readonly unsupported: string } {
  const graph = readOnnx(onnx, externalData);
  try {
    return { steps: lower(graph) };
  } catch (thrown) {
    if (thrown instanceof UnsupportedGraph) return { unsupported: thrown.message };
    throw thrown;
  }
}
