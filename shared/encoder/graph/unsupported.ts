import type { Node } from "../onnx/graph.ts";

/**
 * The compiler met what it lacks. The message names node and operator: it is what `fovea plan` prints, and the graph is
 * left to onnxruntime-web.
 */
export class UnsupportedGraph extends Error {
  override readonly name = "UnsupportedGraph";
}

export function unsupported(node: Node, reason: string): UnsupportedGraph {
  return new UnsupportedGraph(`${node.op} (node ${node.name || node.outputs[0] || "?"}): ${reason}`);
}
