import { performance } from "node:perf_hooks";
import { createWasmDecoder } from "../../functions/edge/media/wasm-decoder.ts";
import { decodeImage } from "../../shared/image/decode-image.ts";
import { ENCODER_RELEASE_BUDGET_BYTES } from "../../shared/limits/releases.ts";
import { place } from "../../shared/placement/place.ts";
import { loadCodecModules } from "../commands/inspect/codec-modules.node.ts";
import { readPicture } from "../commands/inspect/picture-files.ts";
import { imageProcessorOf } from "../releases/image-processor.ts";
import type { HubFolder } from "../releases/hub-folder.ts";
import type { PlannedRelease } from "../releases/plan-release.ts";

/** One picture on each of its ways: what it weighs, what it costs at the edge, and which way it would go. */
export interface PicturePlan {
  readonly width: number;
  readonly height: number;
  readonly imageTokens: number;
  /** The file itself. It never travels further than the edge; it tells what the others cost. */
  readonly fileBytes: number;
  /** f16, rows x width; null when the graph leaves the width open. */
  readonly featureBytes: number | null;
  /** 8-bit samples in the layout of the encoder's input. */
  readonly pixelBytes: number;
  /** Milliseconds of decoding, and of resizing and laying out, on this machine. */
  readonly decodeMs: number;
  readonly processMs: number;
  readonly where: "edge" | "origin";
  readonly reason: string;
}

/** Reads a picture as the edge does and asks `place` where it would be encoded. Null for a model without eyes. */
export async function planPicture(
  folder: HubFolder,
  { stages }: PlannedRelease,
  file: string,
): Promise<PicturePlan | null> {
  const encoder = stages.vision_encoder;
  if (encoder === undefined) return null;
  const processor = await imageProcessorOf(folder);
  const decoder = createWasmDecoder(await loadCodecModules());
  const bytes = await readPicture(file);
  const look = async () => {
    const started = performance.now();
    const image = await decodeImage(bytes, decoder, { transparency: processor.transparency });
    const decoded = performance.now();
    const { width, height } = image;
    const processed = processor.process(image);
    return { width, height, processed, decodeMs: decoded - started, processMs: performance.now() - decoded };
  };
  // The first time compiles; the second is what a warm isolate takes.
  await look();
  const { processed, ...seen } = await look();
  const imageTokens = processed.num_image_tokens[0] ?? 0;
  const pixelBytes = processed.pixels.byteLength;
  const limits = { encoderMemoryBytes: ENCODER_RELEASE_BUDGET_BYTES, edgeBusy: false };
  const { where, reason } = place({ stages }, { imageTokens, pixelBytes }, limits);
  const columns = encoder.outputs.find(({ name }) => name === "image_features")?.shape.at(-1);
  const featureBytes = typeof columns === "number" ? imageTokens * columns * 2 : null;
  return { ...seen, imageTokens, fileBytes: bytes.byteLength, featureBytes, pixelBytes, where, reason };
}
