import {
  toPixelAttentionMask,
  type ImageProcessor,
  type ProcessedImages,
} from "../image/processors/image-processor.ts";
import type { StageTensor } from "../releases/release.ts";

/** All that an encoder reads: a processed picture, and what else the family's encoder wants of the request. */
export interface EncoderSource extends ProcessedImages {
  /** InstructBLIP: ids of the rendered prompt by the Q-Former's tokenizer. */
  readonly qformer_input_ids?: readonly number[];
}

/** A named input of the encoder graph, besides `pixel_values`: upstream's name, dtype and shape. */
export interface ExtraInput {
  readonly name: string;
  readonly dtype: "int64" | "bool";
  readonly data: BigInt64Array | Uint8Array;
  readonly shape: readonly number[];
}

export interface EncoderInput {
  /** float32, row-major, in the shape that the graph declares: `[N, 3, H, W]` for most. */
  readonly pixel_values: Float32Array<ArrayBuffer>;
  readonly shape: readonly number[];
  readonly extra?: readonly ExtraInput[];
}

/** Inputs of `vision_encoder` graphs that Fovea can fill. */
export const ENCODER_INPUTS: ReadonlySet<string> = new Set([
  "pixel_values",
  "pixel_attention_mask",
  "image_grid_thw",
  "image_sizes",
  "qformer_input_ids",
  "qformer_attention_mask",
]);

/** Inputs that speak of frames and nothing else: a graph with these alone makes each frame's features of that frame. */
const FRAME_INPUTS: ReadonlySet<string> = new Set(["pixel_values", "pixel_attention_mask"]);

/** As EncoderInput for an encoder that takes frames one by one: `pixel_values` of all of them may be more than its isolate has. */
export interface EncoderFrames extends Pick<EncoderInput, "shape" | "extra"> {
  /** Writes `pixel_values` from element `start` on into `place`: whole frames. */
  readonly writePixels: (place: Float32Array, start: number) => void;
}

/**
 * The inputs that a `vision_encoder` graph declares, from what the image processor made. The same on both placements.
 * @throws Error for an input that no picture can fill: import refuses such a graph
 */
export function encoderInputs(
  declared: readonly StageTensor[],
  processor: Pick<ImageProcessor, "toPixelValues">,
  source: EncoderSource,
): EncoderInput {
  return { pixel_values: processor.toPixelValues(source) as Float32Array<ArrayBuffer>, ...besides(declared, source) };
}

/**
 * What a graph is run on for a picture, one run after another: frame by frame where it takes any number of them and reads nothing else, else
 * all at once. So scores of attention exist for one frame at a time: those of a picture of seventeen tiles of 512 take 2 GB together.
 * A run's `pixel_values` are overwritten by the next.
 * @throws Error as encoderInputs
 */
export function* encoderRuns(
  declared: readonly StageTensor[],
  processor: Pick<ImageProcessor, "toPixelValues">,
  source: EncoderSource,
): Generator<EncoderInput> {
  const { pixels, shape } = source;
  const frames = runsOf(declared, shape);
  const size = pixels.length / frames;
  const place = new Float32Array(size);
  const frameShape = [...shape.slice(0, -3).map(() => 1), ...shape.slice(-3)];
  for (let frame = 0; frame < frames; frame++) {
    const part = frames === 1 ? source : framesOf(source, frame, frame + 1, frameShape);
    processor.toPixelValues(part, place);
    yield { pixel_values: place, ...besides(declared, part) };
  }
}

/** How many runs of the graph the frames `[..., 3, H, W]` of a picture take: as many as there are, or 1 for all. */
export function runsOf(declared: readonly StageTensor[], shape: readonly number[]): number {
  const leading = declared.find(({ name }) => name === "pixel_values")?.shape.slice(0, -3) ?? [];
  const any = leading.some((size) => typeof size === "string");
  const fixed = leading.some((size) => typeof size === "number" && size !== 1);
  if (!any || fixed || !declared.every(({ name }) => FRAME_INPUTS.has(name))) return 1;
  return shape.slice(0, -3).reduce((product, size) => product * size, 1);
}

/** As `encoderInputs`; `pixel_values` are made where and when they are wanted. */
export function encoderFrames(
  declared: readonly StageTensor[],
  processor: Pick<ImageProcessor, "toPixelValues">,
  source: EncoderSource,
): EncoderFrames {
  const frame = source.shape.slice(-3);
  const size = frame.reduce((product, dim) => product * dim, 1);
  return {
    ...besides(declared, source),
    writePixels(place, start) {
      const end = start + place.length;
      const [first, last] = [start / size, end / size];
      // Flat patches `[patches, C * T * P * P]` are one frame, whole.
      const shape = source.shape.length < 3 ? source.shape : [last - first, ...frame];
      processor.toPixelValues(framesOf(source, first, last, shape), place);
    },
  };
}

/** Frames `first` to `last` of a picture, as `shape` has them. */
function framesOf(source: EncoderSource, first: number, last: number, shape: readonly number[]): EncoderSource {
  const size = source.shape.slice(-3).reduce((product, dim) => product * dim, 1);
  const part = { ...source, pixels: source.pixels.subarray(first * size, last * size), shape };
  return source.valid === undefined ? part : { ...part, valid: source.valid.slice(first, last) };
}

/** All that an encoder reads besides the pixels. */
function besides(declared: readonly StageTensor[], source: EncoderSource): Pick<EncoderInput, "shape" | "extra"> {
  const extra = declared.filter(({ name }) => name !== "pixel_values").map((input) => extraInput(input, source));
  const rank = declared.find(({ name }) => name === "pixel_values")?.shape.length;
  return { shape: squeezed(source.shape, rank), extra };
}

/** OneVision's graphs take the tiles of one picture: `[1, tiles, 3, H, W]` -> `[tiles, 3, H, W]`. */
function squeezed(shape: readonly number[], rank: number | undefined): readonly number[] {
  return rank === shape.length - 1 && shape[0] === 1 ? shape.slice(1) : shape;
}

function extraInput({ name, dtype }: StageTensor, source: EncoderSource): ExtraInput {
  switch (name) {
    case "pixel_attention_mask": {
      const mask = toPixelAttentionMask(source);
      const shape = maskShape(source.shape);
      return dtype === "bool"
        ? { name, dtype: "bool", data: mask, shape }
        : { name, dtype: "int64", data: BigInt64Array.from(mask, BigInt), shape };
    }
    case "image_grid_thw":
      return { name, dtype: "int64", ...rowsOf(source.image_grid_thw) };
    case "image_sizes":
      return { name, dtype: "int64", ...rowsOf(source.image_sizes) };
    case "qformer_input_ids":
      return { name, dtype: "int64", ...textOf(source, BigInt) };
    case "qformer_attention_mask":
      return { name, dtype: "int64", ...textOf(source, () => 1n) };
    default:
      throw new Error(`The vision encoder asks for ${name}, which no picture gives.`);
  }
}

/** `[1, frames, 3, H, W]` -> `[1, frames, H, W]`. */
function maskShape(shape: readonly number[]): number[] {
  return shape.filter((_, axis) => axis !== shape.length - 3);
}

function rowsOf(rows: readonly (readonly number[])[] | undefined): { data: BigInt64Array; shape: number[] } {
  if (rows === undefined || rows.length === 0) throw new Error("The image processor made no sizes.");
  return { data: BigInt64Array.from(rows.flat(), BigInt), shape: [rows.length, rows[0]?.length ?? 0] };
}

/** One row a picture, `[N, T]`: the text is the same for all. */
function textOf(
  { qformer_input_ids: ids, shape: [pictures = 1] }: EncoderSource,
  value: (id: number) => bigint,
): { data: BigInt64Array; shape: number[] } {
  if (ids === undefined) throw new Error("The request has no Q-Former ids.");
  const row = ids.map(value);
  return {
    data: BigInt64Array.from(Array.from({ length: pictures }, () => row).flat()),
    shape: [pictures, ids.length],
  };
}
