import type { Tensor } from "../safetensors/dtypes.ts";
import type { FrameMeta } from "./schema.ts";

/** The message from edge to origin: ids of the whole expanded prompt, and the features that replace its placeholders. */
export interface Frame {
  readonly meta: FrameMeta;
  /** I32 `[S]`: `token_ids`. */
  readonly token_ids: Int32Array<ArrayBuffer>;
  /**
   * By name: `features.N` F16 `[T, D]`, or I8 `[T, D]` with `features.N.scale` F32 `[T]`; or `pixels.N` U8 in the
   * processor's shape, with what else the encoder reads as `pixels.N.<input>`.
   */
  readonly tensors: ReadonlyMap<string, Tensor>;
}
