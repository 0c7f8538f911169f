/**
 * IEEE 754 binary16, the wire form of image features. Rounds to nearest, ties to even, as `numpy.float16` and ONNX
 * `Cast` do; both directions go through bits, since not every runtime that Fovea runs on has Float16Array.
 */

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** One float32 as the bits of a float16; beyond 65,504 it becomes infinity, which the frame's reader refuses. */
function toBits(value: number): number {
  scratch[0] = value;
  const bits = scratchBits[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) return sign | subnormalBits(magnitude);
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** Below 2^-14 a float16 counts in steps of 2^-24; adding 0.5 puts that step at float32's last bit, rounding included. */
function subnormalBits(magnitude: number): number {
  scratchBits[0] = magnitude;
  scratch[0] = scratch[0] + 0.5;
  return (scratchBits[0] - 0x3f000000) & 0xffff;
}

/** float32 values -> float16 bits, same length. */
export function encodeF16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) bits[i] = toBits(values[i]);
  return bits;
}

/** float16 bits -> float32 values, same length; exact. */
export function decodeF16(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = fromBits(bits[i]);
  return values;
}

function fromBits(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** True when no value is infinite or NaN: an exponent of all ones. */
export function isFiniteF16(bits: Uint16Array): boolean {
  for (const half of bits) if ((half & 0x7c00) === 0x7c00) return false;
  return true;
}
