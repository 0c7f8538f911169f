import type { Transparency } from "../composite.ts";
import type { RgbImage } from "../rgb-image.ts";

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/**
 * What an image processor makes of the pictures of one request. Plain data: it passes a service binding as it is.
 *
 * The samples are 8 bits, before rescale and normalize, since that is all the information there is: a quarter of the
 * bytes of `pixel_values`, which `toPixelValues` gives exactly.
 */
export interface ProcessedImages {
  /** Samples in the layout of upstream's `pixel_values`. */
  readonly pixels: Uint8Array;
  /**
   * Upstream's shape of `pixel_values`: `[N, 3, H, W]`, `[N, tiles, 3, H, W]`, or `[patches, C * T * P * P]`. Idefics:
   * `[1, frames, 3, H, W]`, all pictures of the request side by side.
   */
  readonly shape: readonly number[];
  /**
   * For every frame `[3, H, W]`: height and width of what is picture. The rest, right and below, is padding that is 0
   * after normalization. Absent: no frame has padding.
   */
  readonly valid?: readonly (readonly [height: number, width: number])[];
  /** Height and width of the pictures before any resize (LLaVA-NeXT, OneVision). */
  readonly image_sizes?: readonly (readonly [height: number, width: number])[];
  /** Patches in time, height and width of each picture (Qwen2-VL, GLM-4V). */
  readonly image_grid_thw?: readonly (readonly [t: number, h: number, w: number])[];
  /** Rows and columns of tiles of each picture, 0 where it is not split (Idefics3, SmolVLM). */
  readonly rows?: readonly number[];
  readonly cols?: readonly number[];
  /** Whether upstream hands the model a `pixel_attention_mask`, `[1, frames, H, W]`; `toPixelAttentionMask` makes it. */
  readonly masked: boolean;
  /** Feature rows that the model makes of each picture: how often its image token stands in the prompt. */
  readonly num_image_tokens: readonly number[];
}

interface ProcessOptions {
  /**
   * Pictures of the whole request, when they are processed one by one. OneVision tiles a picture only when it is alone.
   */
  readonly imagesInRequest?: number;
}

export interface ImageProcessor {
  /** Upstream's class name: `CLIPImageProcessor`. */
  readonly type: string;
  /** What `decodeImage` shall do with transparency, so that the processor sees what upstream's sees. */
  readonly transparency: Transparency;
  /**
   * Resizes, crops, pads and lays out. Reads the pictures only during the call.
   *
   * @throws FoveaError `invalid_image` (a shape that the processor refuses), `image_too_large` (more pixels than
   *   `MAX_PROCESSED_PIXELS`)
   */
  process(images: RgbImage | readonly RgbImage[], options?: ProcessOptions): ProcessedImages;
  /** Upstream's `pixel_values`, f32 in C order, in `into` when it is given: rescaled in float64, rounded to float32, normalized in float32. */
  toPixelValues(processed: ProcessedImages, into?: Float32Array): Float32Array;
  /** What `num_image_tokens` will be, from sizes alone (upright ones). */
  numImageTokens(sizes: readonly ImageSize[], options?: ProcessOptions): readonly number[];
}

/** `pixel_attention_mask` `[1, frames, H, W]`: 1 where a frame holds picture, 0 where it is padded. */
export function toPixelAttentionMask({ shape, valid }: ProcessedImages): Uint8Array {
  const [width = 0, height = 0] = [shape.at(-1), shape.at(-2)];
  const frames = shape.slice(0, -3).reduce((product, size) => product * size, 1);
  const mask = new Uint8Array(frames * height * width);
  for (let frame = 0; frame < frames; frame += 1) {
    const [rows, columns] = valid?.[frame] ?? [height, width];
    for (let y = 0; y < rows; y += 1) {
      const at = (frame * height + y) * width;
      mask.fill(1, at, at + columns);
    }
  }
  return mask;
}
