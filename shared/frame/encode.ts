import { encodeSafetensors } from "../safetensors/encode.ts";
import { tensorOf, type Tensor } from "../safetensors/dtypes.ts";
import type { FrameMetaInput } from "./schema.ts";

export interface FrameInput {
  readonly meta: FrameMetaInput;
  readonly token_ids: Int32Array;
  readonly tensors: Readonly<Record<string, Tensor>>;
}

/** Writes a frame; `decodeFrame` reads it. */
export function encodeFrame({ meta, token_ids, tensors }: FrameInput): Uint8Array<ArrayBuffer> {
  return encodeSafetensors(
    { token_ids: tensorOf("I32", [token_ids.length], token_ids), ...tensors },
    { fovea: JSON.stringify(meta) },
  );
}
