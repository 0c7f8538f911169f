import { MAX_TENSOR_RANK } from "../../limits/encoder.ts";
import { OnnxError, ProtoReader } from "./protobuf.ts";

/** `TensorProto.DataType` of onnx.proto, as far as encoders have them. */
export const DATA_TYPES = {
  float: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  double: 11,
} as const;

/** A constant. Integers are held as doubles: shapes and indices stay far below 2^53. */
export interface Tensor {
  /** One of DATA_TYPES. */
  readonly dtype: number;
  readonly dims: readonly number[];
  readonly data: Float32Array | Float64Array;
}

export function elements(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

export function isFloat(dtype: number): boolean {
  return dtype === DATA_TYPES.float || dtype === DATA_TYPES.float16 || dtype === DATA_TYPES.double;
}

/** Bytes of one element of raw_data. */
const RAW_BYTES: Readonly<Record<number, number>> = { 1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8 };

function f16(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function readRaw(dtype: number, raw: Uint8Array, count: number): Float32Array | Float64Array {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  if (dtype === DATA_TYPES.float) {
    if (raw.byteOffset % 4 === 0) return new Float32Array(raw.buffer, raw.byteOffset, count);
    return new Float32Array(new Uint8Array(raw).buffer);
  }
  const read: Readonly<Record<number, (i: number) => number>> = {
    2: (i) => view.getUint8(i),
    3: (i) => view.getInt8(i),
    6: (i) => view.getInt32(i * 4, true),
    7: (i) => Number(view.getBigInt64(i * 8, true)),
    9: (i) => view.getUint8(i),
    10: (i) => f16(view.getUint16(i * 2, true)),
    11: (i) => view.getFloat64(i * 8, true),
  };
  const one = read[dtype];
  if (one === undefined) throw new OnnxError(`A tensor has data type ${dtype}.`);
  return Float64Array.from({ length: count }, (_, i) => one(i));
}

function entry(bytes: Uint8Array): [string, string] {
  const reader = new ProtoReader(bytes);
  let [key, value] = ["", ""];
  for (let at = reader.next(); at !== null; at = reader.next()) {
    if (at.field === 1) key = reader.text();
    else if (at.field === 2) value = reader.text();
    else reader.skip(at.wire);
  }
  return [key, value];
}

/** `location`, `offset` and `length` of external data: a name inside `files`, never a path. */
function externalData(entries: ReadonlyMap<string, string>, files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const file = files.get(entries.get("location") ?? "");
  if (file === undefined) throw new OnnxError("External data of a tensor is missing.");
  const offset = Number(entries.get("offset") ?? 0);
  const length = Number(entries.get("length") ?? file.length - offset);
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0)
    throw new OnnxError("External data of a tensor has no valid place.");
  if (offset + length > file.length) throw new OnnxError("External data of a tensor lies past the end of its file.");
  return file.subarray(offset, offset + length);
}

/** The name of a TensorProto; nothing else of it is looked at. */
export function tensorName(bytes: Uint8Array): string {
  const reader = new ProtoReader(bytes);
  let name = "";
  for (let at = reader.next(); at !== null; at = reader.next()) {
    if (at.field === 8) name = reader.text();
    else reader.skip(at.wire);
  }
  return name;
}

/** TensorProto. `files`: external data by location. */
export function readTensor(bytes: Uint8Array, files: ReadonlyMap<string, Uint8Array>): Tensor {
  const reader = new ProtoReader(bytes);
  const dims: number[] = [];
  const typed: number[] = [];
  const entries = new Map<string, string>();
  let [dtype, name, external] = [0, "", false];
  let raw: Uint8Array | null = null;
  for (let at = reader.next(); at !== null; at = reader.next()) {
    if (at.field === 1) reader.numbers(at.wire, (r) => r.int64(), dims);
    else if (at.field === 2) dtype = reader.varint();
    else if (at.field === 4) reader.numbers(at.wire, (r) => r.float(), typed);
    else if (at.field === 5 || at.field === 7) reader.numbers(at.wire, (r) => r.int64(), typed);
    else if (at.field === 8) name = reader.text();
    else if (at.field === 9) raw = reader.bytes();
    else if (at.field === 13) entries.set(...entry(reader.bytes()));
    else if (at.field === 14) external = reader.varint() === 1;
    else reader.skip(at.wire);
  }
  const width = RAW_BYTES[dtype];
  if (width === undefined) throw new OnnxError(`Tensor ${name} has data type ${dtype}.`);
  const count = elements(dims);
  if (dims.length > MAX_TENSOR_RANK || dims.some((dim) => dim < 0) || !Number.isSafeInteger(count))
    throw new OnnxError(`Tensor ${name} has no valid shape.`);
  if (external) raw = externalData(entries, files);
  if (raw !== null) {
    if (raw.length !== count * width) throw new OnnxError(`Tensor ${name} has not as many bytes as its shape needs.`);
    return { dtype, dims, data: readRaw(dtype, raw, count) };
  }
  if (typed.length !== count) throw new OnnxError(`Tensor ${name} has not as many values as its shape needs.`);
  const data =
    dtype === DATA_TYPES.float
      ? Float32Array.from(typed)
      : Float64Array.from(dtype === DATA_TYPES.float16 ? typed.map(f16) : typed);
  return { dtype, dims, data };
}
