import { Tensor } from "onnxruntime-node";

/** `int64` tensor of `length` ones. */
export function ones(dims: readonly [number, number]): Tensor {
  return new Tensor("int64", new BigInt64Array(dims[0] * dims[1]).fill(1n), dims);
}

/** `attention_mask [B, max(lengths)]`: ones first, then zeros (right padding). */
export function rightPaddedMask(lengths: readonly number[]): Tensor {
  const total = Math.max(...lengths);
  const mask = new BigInt64Array(lengths.length * total);
  lengths.forEach((length, row) => mask.fill(1n, row * total, row * total + length));
  return new Tensor("int64", mask, [lengths.length, total]);
}

/** The float32 data of an output that must be there. */
export function floats(outputs: Readonly<Record<string, Tensor>>, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (!(data instanceof Float32Array)) throw new Error(`The graph returned no float32 ${name}.`);
  return data;
}

/** Joins rows of equal length into one array, `[B, hidden]`; one row is given as it is. */
export function stack(rows: readonly Float32Array[]): Float32Array {
  return joinRows(rows, (length) => new Float32Array(length));
}

/** As `stack`, for rows of any type. @param make an array of zeros */
export function joinRows<Row extends Float32Array | Uint16Array>(
  rows: readonly Row[],
  make: (length: number) => Row,
): Row {
  const [first] = rows;
  if (first === undefined) return make(0);
  if (rows.length === 1) return first;
  const joined = make(rows.length * first.length);
  rows.forEach((row, index) => joined.set(row, index * first.length));
  return joined;
}
