import { readFields, WireError, type ByteSource, type Field } from "./wire.ts";

/** Messages of onnx.proto that hold nodes or tensors, below what else: field number -> message. */
const MESSAGES = {
  model: { 7: "graph", 20: "training", 25: "function" },
  training: { 1: "graph", 2: "graph" },
  function: { 7: "node", 11: "attribute" },
  graph: { 1: "node", 5: "tensor", 15: "sparse" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse" },
  sparse: { 1: "tensor", 2: "tensor" },
  tensor: {},
} as const satisfies Readonly<Record<string, Readonly<Record<number, string>>>>;

type Message = keyof typeof MESSAGES;

/** As deep as protobuf's own readers go: no runtime loads what nests deeper. */
const MAX_DEPTH = 100;

/**
 * All nodes or tensors of a model, wherever they stand: branches and bodies of control flow, attributes, local functions, sparse
 * tensors. Throws WireError for what is no model, or nests deeper than any runtime reads.
 */
export async function nestedFields(source: ByteSource, wanted: "node" | "tensor"): Promise<readonly Field[]> {
  const found: Field[] = [];
  const walk = async (message: Message, start: number, end: number, depth: number): Promise<void> => {
    if (depth > MAX_DEPTH) throw new WireError("messages nest too deep");
    const inside: Readonly<Record<number, Message | undefined>> = MESSAGES[message];
    for (const field of await readFields(source, start, end)) {
      const kind = inside[field.number];
      if (kind === undefined || field.wireType !== 2) continue;
      if (kind === wanted) found.push(field);
      if (kind !== "tensor") await walk(kind, field.payload, field.end, depth + 1);
    }
  };
  await walk("model", 0, source.size, 1);
  return found;
}
