/** Side of the model input that every contender makes. */
export const SIDE = 224;

/** One library, as far as it goes. Each step does what a caller would have to do, copies included. */
export interface Contender {
  readonly name: string;
  /** File -> decoded samples, kept for `resize`. */
  decode(file: Uint8Array): Promise<unknown>;
  /** What `decode` gave -> SIDE x SIDE, bicubic where the library has it. */
  resize(decoded: unknown): Promise<unknown>;
  /** File -> normalized f32 model input. */
  whole(file: Uint8Array): Promise<unknown>;
}

/** RGB or RGBA bytes -> `[3, SIDE, SIDE]` f32 as (x / 255 - 0.5) / 0.5: what callers of the others write themselves. */
export function normalizeRgb(data: Uint8Array | Uint8ClampedArray, channels: number): Float32Array {
  const plane = SIDE * SIDE;
  const values = new Float32Array(3 * plane);
  for (let i = 0, from = 0; i < plane; i += 1, from += channels) {
    for (let c = 0; c < 3; c += 1) values[c * plane + i] = ((data[from + c] ?? 0) / 255 - 0.5) / 0.5;
  }
  return values;
}
