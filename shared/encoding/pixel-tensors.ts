import { FoveaError } from "../errors/error.ts";
import { MAX_IMAGE_SIDE, MAX_PROCESSED_PIXELS } from "../limits/image.ts";
import { asInt32, tensorOf, type Tensor } from "../safetensors/dtypes.ts";
import type { EncoderSource } from "./encoder-inputs.ts";

/** The form of a picture in a frame when the origin encodes: `pixels.N` and what else the encoder reads. */
export interface PixelTensors {
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** What it is -> name of the tensor. */
  readonly inputs: Readonly<Record<string, string>>;
}

/** Ids of a prompt that a Q-Former may read; beyond: refused. */
const MAX_QFORMER_IDS = 4096;

/** U8 samples in the processor's shape as `name`, lists of numbers as I32 beside it. */
export function toPixelTensors(name: string, source: EncoderSource): PixelTensors {
  const tensors: Record<string, Tensor> = { [name]: tensorOf("U8", source.shape, source.pixels) };
  const inputs: Record<string, string> = {};
  const add = (input: string, rows: readonly (readonly number[])[] | undefined): void => {
    if (rows === undefined) return;
    inputs[input] = `${name}.${input}`;
    tensors[`${name}.${input}`] = tensorOf("I32", [rows.length, rows[0]?.length ?? 0], Int32Array.from(rows.flat()));
  };
  add("valid", source.valid);
  add("image_sizes", source.image_sizes);
  add("image_grid_thw", source.image_grid_thw);
  add("qformer_input_ids", source.qformer_input_ids === undefined ? undefined : [source.qformer_input_ids]);
  return { tensors, inputs };
}

/**
 * Reads what `toPixelTensors` wrote. Everything that becomes an index or a size in an encoder is checked against the
 * samples that are really there.
 * @throws FoveaError `invalid_frame`
 */
export function fromPixelTensors(
  name: string,
  inputs: Readonly<Record<string, string>>,
  tensors: ReadonlyMap<string, Tensor>,
): EncoderSource {
  const pixels = tensors.get(name);
  if (pixels?.dtype !== "U8") throw invalid(`${name} is not there`);
  const { shape } = pixels;
  if (pixels.data.byteLength === 0 || pixels.data.byteLength > 3 * MAX_PROCESSED_PIXELS)
    throw invalid("too many pixels");
  if (shape.length < 2 || shape.length > 5 || shape.length === 3) throw invalid("pixels of an unknown shape");
  if (shape.length > 3 && shape.at(-3) !== 3) throw invalid("pixels without three channels");
  const rows = (input: string, width: number): number[][] | undefined => readRows(input, width, inputs, tensors);
  const valid = pairs(rows("valid", 2));
  const image_sizes = pairs(rows("image_sizes", 2));
  const image_grid_thw = triples(rows("image_grid_thw", 3));
  const [qformer_input_ids] = rows("qformer_input_ids", 0) ?? [];
  checkValid(valid, shape);
  if (image_sizes?.some((size) => size.some((edge) => edge < 1 || edge > MAX_IMAGE_SIDE))) throw invalid("image_sizes");
  if (image_grid_thw !== undefined) checkGrids(image_grid_thw, shape);
  if (qformer_input_ids !== undefined && qformer_input_ids.length > MAX_QFORMER_IDS) throw invalid("too long a text");
  return {
    pixels: pixels.data,
    shape,
    masked: false,
    num_image_tokens: [],
    ...(valid && { valid }),
    ...(image_sizes && { image_sizes }),
    ...(image_grid_thw && { image_grid_thw }),
    ...(qformer_input_ids && { qformer_input_ids }),
  };
}

/** Rows of an I32 `[N, width]`, none negative; width 0 takes any. */
function readRows(
  input: string,
  width: number,
  inputs: Readonly<Record<string, string>>,
  tensors: ReadonlyMap<string, Tensor>,
): number[][] | undefined {
  const name = Object.hasOwn(inputs, input) ? inputs[input] : undefined;
  if (name === undefined) return undefined;
  const tensor = tensors.get(name);
  const [count = 0, found = 0] = tensor?.shape ?? [];
  if (tensor?.dtype !== "I32" || tensor.shape.length !== 2 || found === 0 || (width > 0 && found !== width)) {
    throw invalid(`${name} is not I32 [N, ${width > 0 ? width : "T"}]`);
  }
  const values = asInt32(tensor);
  if (values.some((value) => value < 0)) throw invalid(`${name} holds a negative number`);
  return Array.from({ length: count }, (_, row) => [...values.subarray(row * found, (row + 1) * found)]);
}

function pairs(rows: number[][] | undefined): (readonly [number, number])[] | undefined {
  return rows?.map(([a = 0, b = 0]) => [a, b] as const);
}

function triples(rows: number[][] | undefined): (readonly [number, number, number])[] | undefined {
  return rows?.map(([a = 0, b = 0, c = 0]) => [a, b, c] as const);
}

function checkValid(valid: readonly (readonly [number, number])[] | undefined, shape: readonly number[]): void {
  const [height = 0, width = 0] = [shape.at(-2), shape.at(-1)];
  const frames = shape.slice(0, -3).reduce((product, size) => product * size, 1);
  if (valid === undefined) return;
  if (shape.length < 4 || valid.length !== frames || valid.some(([h, w]) => h > height || w > width)) {
    throw invalid("what is picture lies outside of its frame");
  }
}

function checkGrids(grids: readonly (readonly [number, number, number])[], shape: readonly number[]): void {
  const patches = grids.reduce((sum, [t, h, w]) => sum + t * h * w, 0);
  if (shape.length !== 2 || patches !== shape[0] || grids.some((grid) => grid.includes(0))) {
    throw invalid("image_grid_thw is not the patches that are there");
  }
}

function invalid(what: string): FoveaError {
  return new FoveaError("invalid_frame", `The frame is not valid: ${what}.`);
}
