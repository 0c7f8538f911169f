import { FoveaError } from "../../../shared/errors/error.ts";
import { decodeF16 } from "../../../shared/frame/f16.ts";
import { asFloat16Bits, asFloat32, type Tensor } from "../../../shared/safetensors/dtypes.ts";
import type { CachedFeatures } from "./feature-cache.ts";

/**
 * The wire forms of projected features as float32: F16 `[T, D]`, or I8 `[T, D]` with one F32 scale per row.
 * The frame's reader has checked dtype, finiteness and the scale's shape.
 * @throws FoveaError `invalid_frame` when the width is not the model's
 */
export function decodeFeatures(tensor: Tensor, scale: Tensor | undefined, hiddenSize: number): CachedFeatures {
  const [rows = 0, width = 0] = tensor.shape;
  if (width !== hiddenSize) {
    throw new FoveaError("invalid_frame", `Features are ${width} wide; the model takes ${hiddenSize}.`);
  }
  const values = new Float32Array(new SharedArrayBuffer(rows * width * Float32Array.BYTES_PER_ELEMENT));
  if (scale === undefined) values.set(decodeF16(asFloat16Bits(tensor)));
  else dequantize(new Int8Array(tensor.data.buffer, tensor.data.byteOffset, rows * width), asFloat32(scale), values);
  return { rows, width, values };
}

function dequantize(quantized: Int8Array, scales: Float32Array, values: Float32Array): void {
  const width = quantized.length / scales.length;
  for (let i = 0; i < quantized.length; i++) {
    values[i] = (quantized[i] ?? 0) * (scales[Math.floor(i / width)] ?? 0);
  }
}
