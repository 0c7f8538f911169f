import { createImageProcessor } from "../../shared/image/processors/create-image-processor.ts";
import type { ImageProcessor } from "../../shared/image/processors/image-processor.ts";
import type { ReleaseReader } from "../../shared/releases/release-reader.ts";
import type { StageTensor } from "../../shared/releases/release.ts";
import { createNativeEncoder } from "./native/encoder.ts";
import { NATIVE_RUNTIME_NAME } from "../../shared/encoder/program/instructions.ts";
import { createOrtEncoder } from "./ort/session.ts";
import type { VisionEncoder } from "./vision-encoder.ts";

/** An encoder that is ready, with the processor that makes its `pixel_values`. */
export interface ResidentEncoder {
  readonly encoder: VisionEncoder;
  readonly processor: ImageProcessor;
  readonly inputs: readonly StageTensor[];
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
  const encoder = await (compiled ? loadNative(reader, stage.files) : loadOrt(reader, stage.files));
  return { encoder, processor, inputs: stage.inputs };
}

/** Our own runtime: the weights go straight to where they are used. */
async function loadNative(reader: ReleaseReader, [program, weights]: readonly string[]): Promise<VisionEncoder> {
  if (program === undefined || weights === undefined) throw new Error("A compiled encoder has a program and weights.");
  const encoder = await createNativeEncoder(await reader.bytes(program), (place) => reader.fill(weights, place));
  await encoder.warmUp();
  return encoder;
}

/** onnxruntime-web, for graphs that the compiler lacks something of, or that have not passed their gate. */
async function loadOrt(reader: ReleaseReader, [graph, ...data]: readonly string[]): Promise<VisionEncoder> {
  if (graph === undefined) throw new Error("The stage vision_encoder has no files.");
  const externalData: { path: string; data: Uint8Array }[] = [];
  for (const file of data) externalData.push({ path: file.split("/").at(-1) ?? file, data: await reader.bytes(file) });
  return createOrtEncoder(await reader.bytes(graph), externalData);
}
