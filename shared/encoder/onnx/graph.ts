import { MAX_GRAPH_NODES, MAX_TENSOR_RANK } from "../../limits/encoder.ts";
import { OnnxError, ProtoReader } from "./protobuf.ts";
import { readTensor, tensorName, type Tensor } from "./tensor.ts";

/** The part of onnx.proto3 that encoders use: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3 */

export interface Attribute {
  readonly f: number;
  readonly i: number;
  readonly s: string;
  readonly ints: readonly number[];
  readonly floats: readonly number[];
  readonly t: Tensor | null;
}

export interface Node {
  readonly name: string;
  /** With its domain where that is not the standard one: `com.microsoft.FastGelu`. */
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

export interface GraphInput {
  readonly name: string;
  readonly dtype: number;
  /** A name where the dimension is free. */
  readonly dims: readonly (number | string)[];
}

export interface Graph {
  readonly opset: number;
  readonly nodes: readonly Node[];
  /** Those that something reads: exporters leave others, of any data type. */
  readonly initializers: ReadonlyMap<string, Tensor>;
  readonly inputs: readonly GraphInput[];
  readonly outputs: readonly string[];
}

type Files = ReadonlyMap<string, Uint8Array>;

function readAttribute(bytes: Uint8Array, files: Files): [string, Attribute] {
  const reader = new ProtoReader(bytes);
  const [ints, floats]: [number[], number[]] = [[], []];
  let [name, f, i, s] = ["", 0, 0, ""];
  let t: Tensor | null = null;
  for (let at = reader.next(); at !== null; at = reader.next()) {
    if (at.field === 1) name = reader.text();
    else if (at.field === 2) f = reader.float();
    else if (at.field === 3) i = reader.int64();
    else if (at.field === 4) s = reader.text();
    else if (at.field === 5) t = readTensor(reader.bytes(), files);
    else if (at.field === 7) reader.numbers(at.wire, (r) => r.float(), floats);
    else if (at.field === 8) reader.numbers(at.wire, (r) => r.int64(), ints);
    else if (at.field === 6 || at.field === 11) throw new OnnxError("The graph has control flow (a graph attribute).");
    else reader.skip(at.wire);
  }
  return [name, { f, i, s, ints, floats, t }];
}

function readNode(bytes: Uint8Array, files: Files): Node {
  const reader = new ProtoReader(bytes);
  const [inputs, outputs]: [string[], string[]] = [[], []];
  const attributes = new Map<string, Attribute>();
  let [name, op, domain] = ["", "", ""];
  for (let at = reader.next(); at !== null; at = reader.next()) {
    if (at.field === 1) inputs.push(reader.text());
    else if (at.field === 2) outputs.push(reader.text());
    else if (at.field === 3) name = reader.text();
    else if (at.field === 4) op = reader.text();
    else if (at.field === 5) attributes.set(...readAttribute(reader.bytes(), files));
    else if (at.field === 7) domain = reader.text();
    else reader.skip(at.wire);
  }
  return { name, op: domain === "" || domain === "ai.onnx" ? op : `${domain}.${op}`, inputs, outputs, attributes };
}

function readDim(bytes: Uint8Array): number | string {
  const reader = new ProtoReader(bytes);
  let dim: number | string = "";
  for (let at = reader.next(); at !== null; at = reader.next()) {
    if (at.field === 1) dim = reader.int64();
    else if (at.field === 2) dim = reader.text();
    else reader.skip(at.wire);
  }
  return dim;
}

/** ValueInfoProto -> TypeProto -> TypeProto.Tensor -> TensorShapeProto, whose fields 1 and 2 nest. */
function readValueInfo(bytes: Uint8Array): GraphInput {
  const dims: (number | string)[] = [];
  let [name, dtype] = ["", 0];
  const nested = (message: Uint8Array, on: (field: number, wire: number, reader: ProtoReader) => void): void => {
    const reader = new ProtoReader(message);
    for (let at = reader.next(); at !== null; at = reader.next()) on(at.field, at.wire, reader);
  };
  nested(bytes, (field, wire, info) => {
    if (field === 1) name = info.text();
    else if (field !== 2) info.skip(wire);
    else
      nested(info.bytes(), (kind, kindWire, type) => {
        if (kind !== 1) type.skip(kindWire);
        else
          nested(type.bytes(), (part, partWire, tensor) => {
            if (part === 1) dtype = tensor.varint();
            else if (part !== 2) tensor.skip(partWire);
            else
              nested(tensor.bytes(), (dim, dimWire, shape) => {
                if (dim === 1) dims.push(readDim(shape.bytes()));
                else shape.skip(dimWire);
              });
          });
      });
  });
  if (dims.length > MAX_TENSOR_RANK) throw new OnnxError(`Input ${name} has too many dimensions.`);
  return { name, dtype, dims };
}

function readGraph(bytes: Uint8Array, files: Files, opset: number): Graph {
  const reader = new ProtoReader(bytes);
  const [nodes, inputs, outputs]: [Node[], GraphInput[], string[]] = [[], [], []];
  const tensors = new Map<string, Uint8Array>();
  for (let at = reader.next(); at !== null; at = reader.next()) {
    if (at.field === 1) {
      if (nodes.length === MAX_GRAPH_NODES) throw new OnnxError(`The graph has more than ${MAX_GRAPH_NODES} nodes.`);
      nodes.push(readNode(reader.bytes(), files));
    } else if (at.field === 5) {
      const tensor = reader.bytes();
      tensors.set(tensorName(tensor), tensor);
    } else if (at.field === 11) inputs.push(readValueInfo(reader.bytes()));
    else if (at.field === 12) outputs.push(readValueInfo(reader.bytes()).name);
    else if (at.field === 15) throw new OnnxError("The graph has sparse tensors.");
    else reader.skip(at.wire);
  }
  const initializers = new Map<string, Tensor>();
  for (const name of new Set([...nodes.flatMap((node) => node.inputs), ...outputs])) {
    const tensor = tensors.get(name);
    if (tensor !== undefined) initializers.set(name, readTensor(tensor, files));
  }
  return { opset, nodes, initializers, inputs: inputs.filter((input) => !tensors.has(input.name)), outputs };
}

function readOpset(bytes: Uint8Array): number {
  const reader = new ProtoReader(bytes);
  let [domain, version] = ["", 0];
  for (let at = reader.next(); at !== null; at = reader.next()) {
    if (at.field === 1) domain = reader.text();
    else if (at.field === 2) version = reader.varint();
    else reader.skip(at.wire);
  }
  return domain === "" || domain === "ai.onnx" ? version : 0;
}

/**
 * ModelProto -> graph. `externalData`: the files beside it, by the `location` that the graph names.
 * Throws OnnxError for what is damaged or unknown; never reads past `bytes`, allocates no more than the file's own sizes.
 */
export function readOnnx(bytes: Uint8Array, externalData: Files = new Map()): Graph {
  const reader = new ProtoReader(bytes);
  let graph: Uint8Array | null = null;
  let opset = 0;
  for (let at = reader.next(); at !== null; at = reader.next()) {
    if (at.field === 7) graph = reader.bytes();
    else if (at.field === 8) opset = Math.max(opset, readOpset(reader.bytes()));
    else reader.skip(at.wire);
  }
  if (graph === null) throw new OnnxError("The file holds no ONNX graph.");
  return readGraph(graph, externalData, opset);
}
