import { createImageProcessor } from "../../shared/image/processors/create-image-processor.ts";
import { ENCODER_RELEASE_BUDGET_BYTES } from "../../shared/limits/releases.ts";
import { place } from "../../shared/placement/place.ts";
import type { HubFolder } from "../releases/hub-folder.ts";
import type { PlannedRelease } from "../releases/plan-release.ts";

/** A picture of 640 x 480, as people send them: what it weighs on each placement, and where it would be encoded. */
export interface PicturePlan {
  readonly imageTokens: number;
  /** f16, rows x width; 0 when the graph leaves the width open. */
  readonly featureBytes: number;
  /** 8-bit samples in the layout of the encoder's input. */
  readonly pixelBytes: number;
  readonly where: "edge" | "origin";
  readonly reason: string;
}

const PICTURE = { width: 640, height: 480 };

/** Null for a model without eyes. */
export async function planPicture(folder: HubFolder, { stages }: PlannedRelease): Promise<PicturePlan | null> {
  const encoder = stages.vision_encoder;
  if (encoder === undefined) return null;
  const processor = createImageProcessor(
    await folder.json("preprocessor_config.json"),
    folder.has("processor_config.json") ? await folder.json("processor_config.json") : undefined,
    await folder.json("config.json"),
  );
  const gray = new Uint8Array(3 * PICTURE.width * PICTURE.height).fill(128);
  const { pixels, num_image_tokens } = processor.process({ ...PICTURE, data: gray });
  const imageTokens = num_image_tokens[0] ?? 0;
  const request = { imageTokens, pixelBytes: pixels.byteLength };
  const limits = { encoderMemoryBytes: ENCODER_RELEASE_BUDGET_BYTES, edgeBusy: false };
  const { where, reason } = place({ stages }, request, limits);
  const width = encoder.outputs.find(({ name }) => name === "image_features")?.shape.at(-1);
  const featureBytes = typeof width === "number" ? imageTokens * width * 2 : 0;
  return { ...request, featureBytes, where, reason };
}
