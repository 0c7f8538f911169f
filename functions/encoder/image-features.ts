/** What a vision encoder with its input projector makes of the pictures of one job. */
export interface ImageFeatures {
  /** float32 `[rows, width]`: one row per image token, in the order of the tokens. */
  readonly image_features: Float32Array;
  readonly rows: number;
  readonly width: number;
}
