import wasm from "../../../shared/encoder/encoder.wasm";
import { loadEncoder, type Fill } from "../../../shared/encoder/program/load.ts";
import { KERNELS_VERSION } from "../../../shared/encoder/program/instructions.ts";
import { allFinite, type Machine } from "../../../shared/encoder/program/run.ts";
import { MAX_ENCODER_TILES } from "../../../shared/limits/encoder.ts";
import type { EncoderFrames } from "../../../shared/encoding/encoder-inputs.ts";
import type { ImageFeatures } from "../image-features.ts";

/** Part of the feature id: another version of the kernels may round differently. */
export const NATIVE_RUNTIME = `fovea-encoder/${KERNELS_VERSION}`;

/**
 * A release's compiled encoder on our own runtime. `program`: its verified bytes; `fill`: reads and verifies the weights into
 * the place that it is given. Throws ProgramError or what `fill` throws.
 */
export async function createNativeEncoder(program: Uint8Array, fill: Fill): Promise<NativeEncoder> {
  return new NativeEncoder(await loadEncoder(program, wasm, fill));
}

export interface EncodeOptions {
  readonly signal?: AbortSignal;
  /** Share of the work that is done, 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

export class NativeEncoder {
  readonly runtime = NATIVE_RUNTIME;
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  get memoryBytes(): number {
    return this.#machine.memoryBytes;
  }

  /**
   * `pixel_values` f32 `[..., 3, H, W]`: leading dimensions count pictures or tiles, which are asked for and run one after another.
   * @throws Error for another shape than the program's, for a mask with holes, for values that are not finite
   */
  async encode(input: EncoderFrames, { signal, onProgress }: EncodeOptions = {}): Promise<ImageFeatures> {
    const { input: wanted, output, assumedTrue } = this.#machine.program;
    const { shape, extra = [] } = input;
    const dims = shape.slice(-wanted.dims.length);
    const size = dims.reduce((product, dim) => product * dim, 1);
    const tiles = shape.reduce((product, dim) => product * dim, 1) / size;
    if (dims.join() !== wanted.dims.join() || !Number.isInteger(tiles) || tiles < 1 || tiles > MAX_ENCODER_TILES)
      throw new Error(`The encoder takes pixel_values [..., ${wanted.dims.join(", ")}], not [${shape.join(", ")}].`);
    for (const { name, data } of extra) {
      if (!assumedTrue.includes(name)) throw new Error(`The encoder has no input ${name}.`);
      if (!data.every((value) => Number(value) === 1)) throw new Error(`The encoder takes no ${name} with holes.`);
    }
    const tileSize = output.rows * output.width;
    const image_features = new Float32Array(tiles * tileSize);
    for (let tile = 0; tile < tiles; tile++) {
      const write = (place: Float32Array): void => {
        input.writePixels(place, tile * size);
        if (!allFinite(place)) throw new Error("A pixel value is not finite.");
      };
      const features = await this.#machine.run(write, {
        signal,
        onProgress: onProgress === undefined ? undefined : (share) => onProgress((tile + share) / tiles),
      });
      image_features.set(features, tile * tileSize);
    }
    return { image_features, rows: tiles * output.rows, width: output.width };
  }
}
