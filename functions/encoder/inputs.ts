import {
  toPixelAttentionMask,
  type ImageProcessor,
  type ProcessedImages,
} from "../../shared/image/processors/image-processor.ts";
import type { StageTensor } from "../../shared/releases/release.ts";
import type { EncoderInput, ExtraInput } from "./vision-encoder.ts";

/**
 * The inputs that a `vision_encoder` graph declares, from what the image processor made: `pixel_values`, and those of
 * `pixel_attention_mask`, `image_grid_thw`, `image_sizes` that it names.
 * @throws Error for an input that no picture can fill: import refuses such a graph at the edge
 */
export function encoderInputs(
  declared: readonly StageTensor[],
  processor: ImageProcessor,
  processed: ProcessedImages,
): EncoderInput {
  const pixel_values = processor.toPixelValues(processed) as Float32Array<ArrayBuffer>;
  const extra = declared.filter(({ name }) => name !== "pixel_values").map(({ name }) => extraInput(name, processed));
  return { pixel_values, shape: processed.shape, extra };
}

function extraInput(name: string, processed: ProcessedImages): ExtraInput {
  switch (name) {
    case "pixel_attention_mask":
      return { name, dtype: "bool", data: toPixelAttentionMask(processed), shape: maskShape(processed.shape) };
    case "image_grid_thw":
      return { name, dtype: "int64", ...rowsOf(processed.image_grid_thw) };
    case "image_sizes":
      return { name, dtype: "int64", ...rowsOf(processed.image_sizes) };
    default:
      throw new Error(`The vision encoder asks for ${name}, which no picture gives.`);
  }
}

/** `[1, frames, 3, H, W]` -> `[1, frames, H, W]`. */
function maskShape(shape: readonly number[]): number[] {
  return shape.filter((_, axis) => axis !== shape.length - 3);
}

function rowsOf(rows: readonly (readonly number[])[] | undefined): { data: BigInt64Array; shape: number[] } {
  if (rows === undefined || rows.length === 0) throw new Error("The image processor made no sizes.");
  return { data: BigInt64Array.from(rows.flat(), BigInt), shape: [rows.length, rows[0]?.length ?? 0] };
}
