import { FoveaError } from "../errors/error.ts";
import { MAX_FRAME_BYTES, MAX_FRAME_HEADER_BYTES, MAX_FRAME_TENSORS } from "../limits/limits.ts";
import { decodeSafetensors, SafetensorsError, type Safetensors } from "../safetensors/decode.ts";
import { asFloat16Bits, asFloat32, asInt32, type Tensor } from "../safetensors/dtypes.ts";
import { isFiniteF16 } from "./f16.ts";
import type { Frame } from "./frame.ts";
import { frameMetaSchema, type FrameMeta } from "./schema.ts";

/**
 * Reads a frame and checks all that can be checked without knowing the release: layout, metadata, that features lie
 * inside the prompt and do not overlap, that each tensor is used, has the right dtype and shape, and is finite.
 * @throws FoveaError `invalid_frame`, `body_too_large`
 */
export function decodeFrame(bytes: Uint8Array<ArrayBuffer>): Frame {
  if (bytes.byteLength > MAX_FRAME_BYTES) throw new FoveaError("body_too_large", "The frame is too large.");
  const { tensors, metadata } = readLayout(bytes);
  const meta = parseMeta(metadata["fovea"]);
  const tokenIds = tensors.get("token_ids");
  if (tokenIds?.dtype !== "I32" || tokenIds.shape.length !== 1) throw invalid("token_ids is not I32 [S]");
  const token_ids = asInt32(tokenIds);
  if (token_ids.some((id) => id < 0)) throw invalid("token_ids holds a negative id");
  const rest = new Map([...tensors].filter(([name]) => name !== "token_ids"));
  checkFeatures(meta, token_ids.length, rest);
  return { meta, token_ids, tensors: rest };
}

function readLayout(bytes: Uint8Array<ArrayBuffer>): Safetensors {
  try {
    return decodeSafetensors(bytes, { maxHeaderBytes: MAX_FRAME_HEADER_BYTES, maxTensors: MAX_FRAME_TENSORS });
  } catch (error) {
    if (error instanceof SafetensorsError) throw invalid(error.message);
    throw error;
  }
}

function parseMeta(text: string | undefined): FrameMeta {
  let json: unknown;
  try {
    json = JSON.parse(text ?? "");
  } catch {
    throw invalid("__metadata__.fovea is not JSON");
  }
  const result = frameMetaSchema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalid(`${issue?.path.join(".") ?? "metadata"}: ${issue?.message ?? "not understood"}`);
}

function checkFeatures(meta: FrameMeta, length: number, tensors: ReadonlyMap<string, Tensor>): void {
  const used = new Set<string>();
  let end = 0;
  for (const feature of meta.features) {
    if (feature.offset < end) throw invalid("features overlap or are out of order");
    end = feature.offset + feature.length;
    if (end > length) throw invalid("a feature lies outside of the prompt");
    if (feature.tensor === undefined) continue;
    const kind = /^(features|pixels)\.\d{1,3}$/.exec(feature.tensor)?.[1];
    if (kind === "features") checkProjected(feature.tensor, feature.row + feature.length, tensors, used);
    else if (kind === "pixels") checkPixels(feature.tensor, feature.inputs ?? {}, tensors, used);
    else throw invalid("a feature names a tensor that is neither features.N nor pixels.N");
  }
  for (const name of tensors.keys()) if (!used.has(name)) throw invalid("a tensor belongs to no feature");
}

/** `features.N`: F16 `[T, D]`, or I8 `[T, D]` with a F32 scale per row; T is at least the rows that its runs take. */
function checkProjected(name: string, end: number, tensors: ReadonlyMap<string, Tensor>, used: Set<string>): void {
  const tensor = take(name, tensors, used);
  const [rows = 0] = tensor.shape;
  if (tensor.shape.length !== 2 || rows < end) throw invalid(`${name} has not one row a placeholder`);
  if (tensor.dtype === "F16") {
    if (!isFiniteF16(asFloat16Bits(tensor))) throw invalid(`${name} is not finite`);
    return;
  }
  if (tensor.dtype !== "I8") throw invalid(`${name} is neither F16 nor I8`);
  const scale = take(`${name}.scale`, tensors, used);
  if (scale.dtype !== "F32" || scale.shape.length !== 1 || scale.shape[0] !== rows) {
    throw invalid(`${name}.scale is not F32 [T]`);
  }
  if (!asFloat32(scale).every(Number.isFinite)) throw invalid(`${name}.scale is not finite`);
}

/** `pixels.N`: U8 of any shape, with further inputs under names that begin with its own. */
function checkPixels(
  name: string,
  inputs: Readonly<Record<string, string>>,
  tensors: ReadonlyMap<string, Tensor>,
  used: Set<string>,
): void {
  if (take(name, tensors, used).dtype !== "U8") throw invalid(`${name} is not U8`);
  for (const input of Object.values(inputs)) {
    if (!input.startsWith(`${name}.`)) throw invalid(`an input of ${name} is not its own`);
    const { dtype } = take(input, tensors, used);
    if (dtype !== "U8" && dtype !== "BOOL" && dtype !== "I32" && dtype !== "I64")
      throw invalid(`${input} is no integer tensor`);
  }
}

function take(name: string, tensors: ReadonlyMap<string, Tensor>, used: Set<string>): Tensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw invalid(`${name} is missing`);
  used.add(name);
  return tensor;
}

function invalid(what: string): FoveaError {
  return new FoveaError("invalid_frame", `The frame is not valid: ${what}.`);
}
