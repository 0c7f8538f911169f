import { DTYPE_BYTES, elementCount, type Tensor } from "./dtypes.ts";

/** The header is padded to this, so that the widest dtype behind it is aligned. */
const HEADER_ALIGNMENT = 8;

/**
 * Writes named tensors in the safetensors layout: `u64 little-endian header length | JSON header | raw tensors`
 * (github.com/huggingface/safetensors, "Format"). Widest dtype first, so that every tensor is aligned without holes.
 * @param metadata string values under `__metadata__`
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const ordered = Object.entries(tensors).toSorted(([, a], [, b]) => DTYPE_BYTES[b.dtype] - DTYPE_BYTES[a.dtype]);
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header["__metadata__"] = metadata;
  let end = 0;
  for (const [name, { dtype, shape, data }] of ordered) {
    if (data.byteLength !== elementCount(shape) * DTYPE_BYTES[dtype]) {
      throw new RangeError(
        `Tensor "${name}" has ${data.byteLength} bytes, not what ${dtype} [${shape.join(", ")}] takes.`,
      );
    }
    header[name] = { dtype, shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(json.byteLength / HEADER_ALIGNMENT) * HEADER_ALIGNMENT;
  const file = new Uint8Array(8 + headerBytes + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.fill(0x20, 8, 8 + headerBytes);
  file.set(json, 8);
  let at = 8 + headerBytes;
  for (const [, { data }] of ordered) {
    file.set(data, at);
    at += data.byteLength;
  }
  return file;
}
