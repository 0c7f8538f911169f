import type { EncoderSource } from "./encoder-inputs.ts";

/** Which release a job is for, as the edge resolved it: the digest decides. */
export interface JobRelease {
  readonly model: string;
  readonly version: string;
  readonly digest: string;
}

/** What the edge Worker hands to the encoder Worker over the service binding. */
export interface EncodeJob {
  readonly release: JobRelease;
  /** One picture, or what the family encodes at once. 8-bit samples; the encoder makes `pixel_values` of them. */
  readonly processed: EncoderSource;
}

export interface EncodeResult {
  /** float16 bits, `[rows, width]`: the wire form of `image_features`. */
  readonly image_features: Uint16Array<ArrayBuffer>;
  readonly rows: number;
  readonly width: number;
  /** Which runtime encoded. */
  readonly runtime: string;
  /** Milliseconds that reading and preparing the encoder took; 0 when it was resident. */
  readonly load_ms: number;
  readonly encode_ms: number;
}

/** The remote interface of the encoder Worker. Errors travel as plain values, since RPC keeps no class. */
export interface EncoderRpc {
  encode(job: EncodeJob): Promise<Outcome<EncodeResult>>;
}

export type Outcome<T> = { readonly ok: T } | { readonly error: { readonly code: string; readonly message: string } };
