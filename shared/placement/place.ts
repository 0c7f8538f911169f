import type { Release } from "../releases/release.ts";

/** What of a release decides. */
export type PlacementRelease = Pick<Release, "stages">;

/** One picture, as the image processor made it. */
export interface PlacementRequest {
  /** Feature rows. */
  readonly imageTokens: number;
  /** The encoder's input as 8-bit samples. */
  readonly pixelBytes: number;
}

export interface PlacementLimits {
  /** Memory that an encoder may take in its isolate. */
  readonly encoderMemoryBytes: number;
  /** True while the encoder Worker has more jobs than it can do in time (functions/edge/encoding/encoder-load.ts). */
  readonly edgeBusy: boolean;
}

export interface Placement {
  readonly where: "edge" | "origin";
  /** Why, for people. */
  readonly reason: string;
  /** What travels from edge to origin: projected features in f16 or pixels, bytes. */
  readonly wireBytes: number;
}

const F16_BYTES = 2;

/**
 * Where the encoder runs for one picture: pure, so that a table can test it and `fovea plan` can explain it. Whatever it
 * says, the answer has the same tokens; it weighs memory first, then load, then bytes on the wire. Never picks another
 * dtype or codec than the release's.
 * @throws Error for a release without a vision encoder
 */
export function place(release: PlacementRelease, request: PlacementRequest, limits: PlacementLimits): Placement {
  const encoder = release.stages.vision_encoder;
  if (encoder === undefined) throw new Error("The release has no vision encoder.");
  const width = encoder.outputs.find(({ name }) => name === "image_features")?.shape.at(-1);
  const featureBytes = typeof width === "number" ? request.imageTokens * width * F16_BYTES : 0;
  const edge = (reason: string): Placement => ({ where: "edge", reason, wireBytes: featureBytes });
  const origin = (reason: string): Placement => ({ where: "origin", reason, wireBytes: request.pixelBytes });

  if (encoder.placement === "origin") return origin("the release places its encoder at the origin");
  if (!encoder.movable) return edge("the release's encoder cannot move");
  if (encoder.memoryBytes > limits.encoderMemoryBytes) return origin("the encoder does not fit the isolate");
  if (limits.edgeBusy) return origin("the encoder at the edge is busy");
  if (featureBytes > request.pixelBytes) return origin("the projected features weigh more than the pixels");
  return edge("the projected features weigh less than the pixels");
}
