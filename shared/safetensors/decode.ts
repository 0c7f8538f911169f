import * as z from "zod";
import { DTYPE_BYTES, elementCount, type Dtype, type Tensor } from "./dtypes.ts";

/** What was wrong with a file. The caller turns it into its own error. */
export class SafetensorsError extends Error {
  override readonly name = "SafetensorsError";
}

export interface SafetensorsLimits {
  readonly maxHeaderBytes: number;
  readonly maxTensors: number;
}

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const entrySchema = z.strictObject({
  dtype: z.enum(Object.keys(DTYPE_BYTES) as [Dtype, ...Dtype[]]),
  shape: z.array(z.number()).max(8),
  data_offsets: z.tuple([z.number(), z.number()]),
});
const metadataSchema = z.record(z.string(), z.string());

/**
 * Reads a file in the safetensors layout, as views over its bytes. Every number is bounded before it is used. Refused
 * are holes, overlaps, trailing bytes, wrong widths, duplicate keys, and a header that is not the compact JSON that
 * `JSON.stringify` writes: two parsers that disagree on a header cannot both accept it.
 * @throws SafetensorsError
 */
export function decodeSafetensors(file: Uint8Array<ArrayBuffer>, limits: SafetensorsLimits): Safetensors {
  const headerBytes = readHeaderLength(file, limits.maxHeaderBytes);
  const header = parseHeader(file.subarray(8, 8 + headerBytes));
  const { __metadata__: metadata = {}, ...entries } = header;
  if (Object.keys(entries).length > limits.maxTensors) throw new SafetensorsError("too many tensors");
  return {
    metadata: parseOr(metadataSchema, metadata, "metadata is not a map of strings"),
    tensors: sliceTensors(entries, file.subarray(8 + headerBytes)),
  };
}

function readHeaderLength(file: Uint8Array<ArrayBuffer>, max: number): number {
  if (file.byteLength < 8) throw new SafetensorsError("shorter than its header length");
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (length > BigInt(max)) throw new SafetensorsError("header too long");
  if (Number(length) > file.byteLength - 8) throw new SafetensorsError("cut short in its header");
  if (length % 8n !== 0n) throw new SafetensorsError("header not padded to 8 bytes");
  return Number(length);
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes).replace(/ {0,7}$/, "");
    header = JSON.parse(text);
  } catch (cause) {
    throw new SafetensorsError("header is not JSON", { cause });
  }
  if (JSON.stringify(header) !== text) throw new SafetensorsError("header is not compact JSON, or repeats a key");
  return parseOr(z.record(z.string(), z.unknown()), header, "header is not an object");
}

function sliceTensors(entries: Record<string, unknown>, data: Uint8Array<ArrayBuffer>): Map<string, Tensor> {
  const parsed = Object.entries(entries).map(
    ([name, entry]) => [name, parseOr(entrySchema, entry, `tensor "${name.slice(0, 64)}" is not described`)] as const,
  );
  parsed.sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]);
  const tensors = new Map<string, Tensor>();
  let at = 0;
  for (const [name, { dtype, shape, data_offsets }] of parsed) {
    const [begin, end] = data_offsets;
    if (begin !== at) throw new SafetensorsError("tensors overlap or leave a hole");
    if (end - begin !== elementCount(shape) * DTYPE_BYTES[dtype])
      throw new SafetensorsError("a tensor has a wrong width");
    if (end > data.byteLength) throw new SafetensorsError("cut short in its tensors");
    tensors.set(name, { dtype, shape, data: data.subarray(begin, end) });
    at = end;
  }
  if (at !== data.byteLength) throw new SafetensorsError("bytes behind the last tensor");
  return tensors;
}

function parseOr<T>(schema: z.ZodType<T>, value: unknown, message: string): T {
  const result = schema.safeParse(value);
  if (!result.success) throw new SafetensorsError(message);
  return result.data;
}
