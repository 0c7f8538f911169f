import type { PreprocessorConfig } from "./config.ts";
import type { ProcessedImages } from "./image-processor.ts";

/**
 * What each 8-bit sample becomes, by channel: `[3, 256]` f32. A sample has 256 values, so rescale and normalize are
 * a table, with every rounding of the reference in it.
 *
 * Source: transformers, image_transforms.py (`rescale`: float64 product, rounded to float32; `normalize`: float32).
 */
export function normalizationTable(config: PreprocessorConfig): Float32Array {
  const table = new Float32Array(3 * 256);
  for (let channel = 0; channel < 3; channel += 1) {
    const mean = Math.fround(config.image_mean[channel] ?? 0);
    const std = Math.fround(config.image_std[channel] ?? 1);
    for (let sample = 0; sample < 256; sample += 1) {
      const scaled = config.do_rescale ? Math.fround(sample * config.rescale_factor) : sample;
      table[channel * 256 + sample] = config.do_normalize ? Math.fround(scaled - mean) / std : scaled;
    }
  }
  return table;
}

/**
 * Samples -> `pixel_values`, in `values` where the caller has a place for them. Frames `[3, H, W]` may have padding, which is 0
 * in `pixel_values`; flat patches have none.
 */
export function normalize(
  { pixels, shape, valid }: Pick<ProcessedImages, "pixels" | "shape" | "valid">,
  table: Float32Array,
  values: Float32Array = new Float32Array(pixels.length),
): Float32Array {
  if (values.length !== pixels.length) throw new RangeError(`a place of ${values.length} values for ${pixels.length}`);
  if (valid !== undefined) values.fill(0);
  const isPatches = shape.length === 2;
  const height = isPatches ? 1 : (shape.at(-2) ?? 0);
  // A flat patch is channel, time, row, column: a channel's samples stand together, as the columns of a one-row frame do
  const width = isPatches ? (shape[1] ?? 0) / 3 : (shape.at(-1) ?? 0);
  const plane = height * width;
  for (let at = 0, n = 0; at < pixels.length; at += plane, n += 1) {
    const [rows, columns] = valid?.[Math.trunc(n / 3)] ?? [height, width];
    const channel = (n % 3) * 256;
    for (let y = 0; y < rows; y += 1) {
      const start = at + y * width;
      for (let i = start; i < start + columns; i += 1) values[i] = table[channel + (pixels[i] ?? 0)] ?? 0;
    }
  }
  return values;
}
