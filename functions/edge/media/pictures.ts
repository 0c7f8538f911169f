import { decodeImage } from "../../../shared/image/decode-image.ts";
import type { PictureDecoder } from "../../../shared/image/picture-decoder.ts";
import type {
  ImageProcessor,
  ProcessedImages,
  ProcessOptions,
} from "../../../shared/image/processors/image-processor.ts";
import { PictureGate } from "./picture-gate.ts";

/** Files to model input, one at a time in an isolate. */
export interface Pictures {
  /**
   * Decodes and processes one picture file. The decoded picture never leaves the gate: it lies on the codec's heap,
   * which the next job overwrites.
   *
   * @throws FoveaError what `decodeImage` and `ImageProcessor.process` throw; `overloaded` when others wait already
   */
  process(bytes: Uint8Array, processor: ImageProcessor, options?: ProcessOptions): Promise<ProcessedImages>;
}

export function createPictures(decoder: PictureDecoder, gate: PictureGate = new PictureGate()): Pictures {
  return {
    process: (bytes, processor, options) =>
      gate.run(async () => {
        const image = await decodeImage(bytes, decoder, { transparency: processor.transparency });
        return processor.process(image, options);
      }),
  };
}
