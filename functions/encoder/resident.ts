import { createImageProcessor } from "../../shared/image/processors/create-image-processor.ts";
import { encoderFrames, encoderRuns, type EncoderSource } from "../../shared/encoding/encoder-inputs.ts";
import type { ReleaseReader } from "../../shared/releases/release-reader.ts";
import { createNativeEncoder, type NativeEncoder } from "./native/encoder.ts";
import { NATIVE_RUNTIME_NAME } from "../../shared/encoder/program/instructions.ts";
import { createOrtEncoder, type OrtEncoder } from "./ort/session.ts";
import type { ImageFeatures } from "./image-features.ts";

/** An encoder that is ready, with the processor that makes its `pixel_values`. */
export interface ResidentEncoder {
  readonly runtime: string;
  encode(source: EncoderSource): Promise<ImageFeatures>;
}

/** Reads a release's encoder and prepares it. Bytes are verified by the reader before any of them is used. */
export async function loadEncoder(reader: ReleaseReader): Promise<ResidentEncoder> {
  const stage = reader.stage("vision_encoder");
  const processor = createImageProcessor(
    await reader.json("preprocessor_config.json"),
    reader.has("processor_config.json") ? await reader.json("processor_config.json") : undefined,
    await reader.json("config.json"),
  );
  const compiled = stage.runtime.startsWith(`${NATIVE_RUNTIME_NAME}@`);
  if (compiled) {
    const encoder = await loadNative(reader, stage.files);
    const encode = (source: EncoderSource) => encoder.encode(encoderFrames(stage.inputs, processor, source));
    return { runtime: encoder.runtime, encode };
  }
  const encoder = await loadOrt(reader, stage.files);
  const encode = (source: EncoderSource) => encoder.encode(encoderRuns(stage.inputs, processor, source));
  return { runtime: encoder.runtime, encode };
}

/** Our own runtime: the weights go straight to where they are used. */
async function loadNative(reader: ReleaseReader, [program, weights]: readonly string[]): Promise<NativeEncoder> {
  if (program === undefined || weights === undefined) throw new Error("A compiled encoder has a program and weights.");
  // No run to warm up: somebody waits for the first picture already, and it warms up as well.
  return createNativeEncoder(await reader.bytes(program), (place) => reader.fill(weights, place));
}

/** onnxruntime-web, for graphs that the compiler lacks something of, or that have not passed their gate. */
async function loadOrt(reader: ReleaseReader, [graph, ...data]: readonly string[]): Promise<OrtEncoder> {
  if (graph === undefined) throw new Error("The stage vision_encoder has no files.");
  const externalData: { path: string; data: Uint8Array }[] = [];
  for (const file of data) externalData.push({ path: file.split("/").at(-1) ?? file, data: await reader.bytes(file) });
  return createOrtEncoder(await reader.bytes(graph), externalData);
}
