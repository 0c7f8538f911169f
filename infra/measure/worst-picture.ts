import type { EncoderSource } from "../../shared/encoding/encoder-inputs.ts";
import { FoveaError } from "../../shared/errors/error.ts";
import type { ImageProcessor } from "../../shared/image/processors/image-processor.ts";
import type { StageTensor } from "../../shared/releases/schema.ts";

/** Sizes close to MAX_IMAGE_PIXELS: which of them gives the most tiles or patches depends on the family. */
const SIZES = [
  { width: 4096, height: 3072 },
  { width: 3072, height: 4096 },
  { width: 3547, height: 3547 },
  { width: 8192, height: 1536 },
] as const;

/** Ids of a long question, for an encoder that reads the prompt. */
const QFORMER_IDS = 128;

export interface WorstPicture {
  readonly width: number;
  readonly height: number;
  readonly source: EncoderSource;
}

/** The admitted picture that gives the encoder most to do, processed. */
export function worstPicture(processor: ImageProcessor, inputs: readonly StageTensor[]): WorstPicture {
  let worst: WorstPicture | null = null;
  const reads = inputs.some(({ name }) => name.startsWith("qformer_"));
  const text = reads ? { qformer_input_ids: Array.from({ length: QFORMER_IDS }, () => 1) } : {};
  for (const size of SIZES) {
    const data = new Uint8Array(3 * size.width * size.height).fill(128);
    try {
      const source = { ...processor.process({ ...size, data }), ...text };
      if (worst === null || source.pixels.byteLength > worst.source.pixels.byteLength) worst = { ...size, source };
    } catch (error) {
      // A size that this processor refuses is not admitted.
      if (!(error instanceof FoveaError)) throw error;
    }
  }
  if (worst === null) throw new Error("the image processor refuses every large picture");
  return worst;
}
