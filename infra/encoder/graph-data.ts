import { stat } from "node:fs/promises";
import path from "node:path";
import { withByteSource } from "../releases/onnx/byte-source.ts";
import { externalLocations } from "../releases/onnx/external-data.ts";

/** A file of external data, which lies beside its graph. */
export interface GraphData {
  /** As the graph names it: a name, never a path. */
  readonly location: string;
  readonly file: string;
  readonly size: number;
}

/**
 * The external data that a graph names, as far as it is there; other graphs' files lie in the same folder.
 * @throws WireError for what is no ONNX model, or names a path
 */
export async function graphData(graph: string): Promise<readonly GraphData[]> {
  const found: GraphData[] = [];
  for (const location of await withByteSource(graph, externalLocations)) {
    const file = path.join(path.dirname(graph), location);
    const stats = await stat(file).catch(() => null);
    if (stats?.isFile() === true) found.push({ location, file, size: stats.size });
  }
  return found;
}
