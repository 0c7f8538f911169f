/** Element types of the safetensors format that Fovea reads and writes, with their width in bytes. */
export const DTYPE_BYTES = { I64: 8, F64: 8, I32: 4, F32: 4, F16: 2, I8: 1, U8: 1, BOOL: 1 } as const;

export type Dtype = keyof typeof DTYPE_BYTES;

/** A tensor by its bytes: row-major, little-endian. */
export interface Tensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Number of elements of a shape; NaN when it is not a list of sizes or exceeds what a double counts exactly. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) return Number.NaN;
    count *= size;
    if (!Number.isSafeInteger(count)) return Number.NaN;
  }
  return count;
}

type View = Int32Array | Float32Array | Uint16Array | Uint8Array | Int8Array | BigInt64Array | Float64Array;

/** A tensor over the bytes of a typed array, without a copy. F16 is given as its bits in a Uint16Array. */
export function tensorOf(dtype: Dtype, shape: readonly number[], view: View): Tensor {
  const { buffer } = view;
  if (!(buffer instanceof ArrayBuffer)) throw new TypeError("A tensor's memory is not shared.");
  return { dtype, shape, data: new Uint8Array(buffer, view.byteOffset, view.byteLength) };
}

/** The elements of an I32 tensor, without a copy where the bytes are aligned. */
export function asInt32(tensor: Tensor): Int32Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = aligned(tensor.data, 4);
  return new Int32Array(buffer, byteOffset, byteLength / 4);
}

/** The elements of an F32 tensor, without a copy where the bytes are aligned. */
export function asFloat32(tensor: Tensor): Float32Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = aligned(tensor.data, 4);
  return new Float32Array(buffer, byteOffset, byteLength / 4);
}

/** The bits of an F16 tensor, without a copy where the bytes are aligned. */
export function asFloat16Bits(tensor: Tensor): Uint16Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = aligned(tensor.data, 2);
  return new Uint16Array(buffer, byteOffset, byteLength / 2);
}

function aligned(bytes: Uint8Array<ArrayBuffer>, width: number): Uint8Array<ArrayBuffer> {
  return bytes.byteOffset % width === 0 ? bytes : bytes.slice();
}
