import type { Tensor } from "onnxruntime-node";
import { decodeF16 } from "../../../shared/frame/f16.ts";

/** What a graph keeps its cache in: its own choice, `float16` in many a `q4f16` file. */
export type CacheType = (typeof CACHE_TYPES)[number];
export const CACHE_TYPES = ["float32", "float16"] as const;

/** Cached keys or values: float32, or the bits of float16. They are moved and copied here, never computed with. */
export type CacheArray = Float32Array | Uint16Array;

export function cacheArray(type: CacheType, length: number): CacheArray {
  return type === "float32" ? new Float32Array(length) : new Uint16Array(length);
}

/** Bytes of one element. */
export function cacheElementBytes(type: CacheType): number {
  return type === "float32" ? Float32Array.BYTES_PER_ELEMENT : Uint16Array.BYTES_PER_ELEMENT;
}

/** The data of a cache output that must be there. @throws Error when it is of another type than the cache */
export function cacheOutput(outputs: Readonly<Record<string, Tensor>>, name: string, type: CacheType): CacheArray {
  const tensor = outputs[name];
  if (tensor?.type !== type) throw new Error(`The graph returned no ${type} ${name}.`);
  const { data } = tensor;
  if (data instanceof Float32Array || data instanceof Uint16Array) return data;
  // Node 24 and later have a type for these bits
  if (!ArrayBuffer.isView(data)) throw new Error(`The graph returned no numbers as ${name}.`);
  return new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
}

/** Values for who must look at them, as float32. */
export function cacheValues(array: CacheArray): Float32Array {
  return array instanceof Float32Array ? array : decodeF16(array);
}
