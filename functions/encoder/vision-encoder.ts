import type { EncoderInput } from "../../shared/encoding/encoder-inputs.ts";

export type { EncoderInput };

export interface ImageFeatures {
  /** float32 `[rows, width]`: one row per image token, in the order of the tokens. */
  readonly image_features: Float32Array;
  readonly rows: number;
  readonly width: number;
}

/** A vision encoder with its input projector. Runs one job at a time; callers queue. */
export interface VisionEncoder {
  readonly runtime: string;
  /** All wasm heaps that this encoder holds, bytes. */
  readonly memoryBytes: number;
  encode(input: EncoderInput): Promise<ImageFeatures>;
}
