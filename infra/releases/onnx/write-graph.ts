import type { StageTensor } from "../../../shared/releases/schema.ts";
import { DTYPES, GRAPH_INITIALIZER, GRAPH_NODE, ofNumber, TENSOR_RAW_DATA, textOf } from "./graph-io.ts";
import { concatBytes, readFields, writeField, writeVarintField, type ByteSource, type Field } from "./wire.ts";

/** Field numbers of onnx.proto. */
const NODE_INPUT = 1;
const NODE_OUTPUT = 2;
const NODE_OP_TYPE = 4;
const NODE_ATTRIBUTE = 5;
const INT64 = 7n;
const ATTRIBUTE_INT = 2n;

/** What of a NodeProto is needed to follow a graph. */
export interface GraphNode {
  readonly field: Field;
  readonly op: string;
  /** An input that is left out is "". */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export async function readNode(source: ByteSource, field: Field): Promise<GraphNode> {
  const parts = await readFields(source, field.payload, field.end);
  const names = (number: number) => Promise.all(ofNumber(parts, number).map((part) => textOf(source, part)));
  const [op = ""] = await names(NODE_OP_TYPE);
  return { field, op, inputs: await names(NODE_INPUT), outputs: await names(NODE_OUTPUT) };
}

/** The node with another name for one of its inputs or outputs. */
export async function renamed(
  source: ByteSource,
  { field }: GraphNode,
  side: "input" | "output",
  index: number,
  name: string,
): Promise<Uint8Array> {
  const number = side === "input" ? NODE_INPUT : NODE_OUTPUT;
  const parts = await readFields(source, field.payload, field.end);
  const replaced = ofNumber(parts, number)[index];
  const written = parts.map(async (part) =>
    part === replaced
      ? writeField(number, encode(name))
      : (await source.read(part.start, part.end - part.start)).slice(),
  );
  return writeField(GRAPH_NODE, concatBytes(await Promise.all(written)));
}

/** A node of the default domain with one output and no name, so that it meets none of the graph's; attributes are integers. */
export function writeNode(
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, number>> = {},
): Uint8Array {
  return writeField(
    GRAPH_NODE,
    concatBytes([
      ...inputs.map((name) => writeField(NODE_INPUT, encode(name))),
      writeField(NODE_OUTPUT, encode(output)),
      writeField(NODE_OP_TYPE, encode(op)),
      ...Object.entries(attributes).map(([name, value]) =>
        writeField(
          NODE_ATTRIBUTE,
          concatBytes([
            writeField(1, encode(name)),
            writeVarintField(3, BigInt(value)),
            writeVarintField(20, ATTRIBUTE_INT),
          ]),
        ),
      ),
    ]),
  );
}

/** A constant, int64 of these dimensions: `[]` is a scalar. */
export function writeIntegers(name: string, dims: readonly number[], values: readonly number[]): Uint8Array {
  const raw = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return writeField(
    GRAPH_INITIALIZER,
    concatBytes([
      ...dims.map((dim) => writeVarintField(1, BigInt(dim))),
      writeVarintField(2, INT64),
      writeField(8, encode(name)),
      writeField(TENSOR_RAW_DATA, raw),
    ]),
  );
}

/** A ValueInfoProto: an input or output of the graph, as `number` says. */
export function writeValueInfo(number: number, { name, dtype, shape }: StageTensor): Uint8Array {
  const type = Object.entries(DTYPES).find(([, one]) => one === dtype)?.[0] ?? "0";
  const dims = shape.map((dim) =>
    writeField(1, typeof dim === "number" ? writeVarintField(1, BigInt(dim)) : writeField(2, encode(dim))),
  );
  const tensor = concatBytes([writeVarintField(1, BigInt(type)), writeField(2, concatBytes(dims))]);
  return writeField(number, concatBytes([writeField(1, encode(name)), writeField(2, writeField(1, tensor))]));
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
