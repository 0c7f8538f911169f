/** A named input of the encoder graph, besides `pixel_values`: upstream's name, dtype and shape. */
export interface ExtraInput {
  readonly name: string;
  readonly dtype: "int64" | "bool";
  readonly data: BigInt64Array | Uint8Array;
  readonly shape: readonly number[];
}

export interface EncoderInput {
  /** float32, row-major, in the shape that the release's processor makes: `[N, 3, H, W]` for most. */
  readonly pixel_values: Float32Array<ArrayBuffer>;
  readonly shape: readonly number[];
  readonly extra?: readonly ExtraInput[];
}

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
