import { createReadStream } from "node:fs";

/** MatMulNBits with `accuracy_level` 4, as an attribute's bytes: a product that rounds its activations to int8. */
export const INT8_PRODUCTS = "accuracy_level\x18\x04";

/** Operators, and one attribute of theirs, whose presence changes how a graph may be run. */
export const TELLING_OPERATORS = ["DynamicQuantizeLinear", "GroupQueryAttention", INT8_PRODUCTS] as const;

/**
 * Which of the telling operators a graph names. An ONNX file is protobuf, so `op_type` stands in it as plain bytes; a
 * streamed scan answers without a protobuf reader and without holding a file that may weigh gigabytes.
 */
export async function findOperators(path: string): Promise<ReadonlySet<string>> {
  const overlap = Math.max(...TELLING_OPERATORS.map((name) => name.length)) - 1;
  const found = new Set<string>();
  let tail = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    const window = Buffer.concat([tail, chunk]);
    for (const name of TELLING_OPERATORS) if (window.includes(name)) found.add(name);
    tail = Buffer.from(window.subarray(Math.max(0, window.length - overlap)));
  }
  return found;
}
