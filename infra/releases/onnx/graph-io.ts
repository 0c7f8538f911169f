import type { StageTensor, TensorDtype } from "../../../shared/releases/schema.ts";
import { readFields, WireError, type ByteSource, type Field } from "./wire.ts";

/** Field numbers of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). */
export const MODEL_GRAPH = 7;
export const GRAPH_NODE = 1;
export const GRAPH_INITIALIZER = 5;
export const TENSOR_RAW_DATA = 9;
export const GRAPH_INPUT = 11;
export const GRAPH_OUTPUT = 12;
const VALUE_INFO_NAME = 1;
const VALUE_INFO_TYPE = 2;
const TYPE_TENSOR = 1;
const TENSOR_ELEM_TYPE = 1;
const TENSOR_SHAPE = 2;
const SHAPE_DIM = 1;
const DIM_VALUE = 1;
const DIM_PARAM = 2;

/** TensorProto.DataType, those that stages have at their borders. */
export const DTYPES: Readonly<Record<number, TensorDtype>> = {
  1: "float32",
  2: "uint8",
  3: "int8",
  6: "int32",
  7: "int64",
  9: "bool",
  10: "float16",
  11: "float64",
  16: "bfloat16",
};

export interface GraphIo {
  readonly inputs: readonly StageTensor[];
  readonly outputs: readonly StageTensor[];
}

/** Names, dtypes and shapes of a graph's inputs and outputs. Throws WireError for what is no ONNX model. */
export async function readGraphIo(source: ByteSource): Promise<GraphIo> {
  const graph = await graphField(source);
  const fields = await readFields(source, graph.payload, graph.end);
  const initializers = new Set(
    await Promise.all(ofNumber(fields, GRAPH_INITIALIZER).map((f) => initializerName(source, f))),
  );
  const inputs = await tensorsOf(source, ofNumber(fields, GRAPH_INPUT));
  return {
    // Old exporters list weights among the inputs as well.
    inputs: inputs.filter(({ name }) => !initializers.has(name)),
    outputs: await tensorsOf(source, ofNumber(fields, GRAPH_OUTPUT)),
  };
}

export async function graphField(source: ByteSource): Promise<Field> {
  const graph = ofNumber(await readFields(source, 0, source.size), MODEL_GRAPH)[0];
  if (graph === undefined || graph.wireType !== 2) throw new WireError("no ONNX model: it has no graph");
  return graph;
}

export function ofNumber(fields: readonly Field[], number: number): readonly Field[] {
  return fields.filter((field) => field.number === number);
}

export async function textOf(source: ByteSource, field: Field | undefined): Promise<string> {
  if (field === undefined) return "";
  return new TextDecoder().decode(await source.read(field.payload, field.end - field.payload));
}

async function initializerName(source: ByteSource, field: Field): Promise<string> {
  const TENSOR_NAME = 8;
  return textOf(source, ofNumber(await readFields(source, field.payload, field.end), TENSOR_NAME)[0]);
}

async function tensorsOf(source: ByteSource, fields: readonly Field[]): Promise<readonly StageTensor[]> {
  const tensors: StageTensor[] = [];
  for (const field of fields) tensors.push(await tensorOf(source, field));
  return tensors;
}

async function tensorOf(source: ByteSource, field: Field): Promise<StageTensor> {
  const info = await readFields(source, field.payload, field.end);
  const name = await textOf(source, ofNumber(info, VALUE_INFO_NAME)[0]);
  const tensor = await descend(source, await descend(source, info, VALUE_INFO_TYPE), TYPE_TENSOR);
  const dtype = DTYPES[Number(ofNumber(tensor, TENSOR_ELEM_TYPE)[0]?.value ?? 0n)];
  if (dtype === undefined) throw new WireError(`${name} has an element type that no stage may have`);
  const shape: (number | string)[] = [];
  for (const dim of ofNumber(await descend(source, tensor, TENSOR_SHAPE), SHAPE_DIM)) {
    const parts = await readFields(source, dim.payload, dim.end);
    const value = ofNumber(parts, DIM_VALUE)[0];
    const param = await textOf(source, ofNumber(parts, DIM_PARAM)[0]);
    shape.push(value === undefined ? param || "?" : Number(value.value));
  }
  return { name, dtype, shape };
}

async function descend(source: ByteSource, fields: readonly Field[], number: number): Promise<readonly Field[]> {
  const field = ofNumber(fields, number)[0];
  return field === undefined ? [] : readFields(source, field.payload, field.end);
}
