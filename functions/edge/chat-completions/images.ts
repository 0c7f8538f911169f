import type { EncodeResult } from "../../../shared/encoding/job.ts";
import type { EncoderSource } from "../../../shared/encoding/encoder-inputs.ts";
import { FoveaError } from "../../../shared/errors/error.ts";
import { checkImageLimits, checkRequestPixels } from "../../../shared/image/header/check-image-limits.ts";
import type { ImageHeader } from "../../../shared/image/header/image-header.ts";
import { readImageHeader } from "../../../shared/image/header/read-image-header.ts";
import type { ImageProcessor, ProcessedImages } from "../../../shared/image/processors/image-processor.ts";
import { MAX_GATE_WAIT_MS, MAX_WAITING_PICTURES } from "../../../shared/limits/gates.ts";
import { MAX_REQUEST_PROCESSED_PIXELS } from "../../../shared/limits/image.ts";
import { ENCODER_RELEASE_BUDGET_BYTES } from "../../../shared/limits/releases.ts";
import { place } from "../../../shared/placement/place.ts";
import { toHex } from "../../../shared/releases/digest.ts";
import { encodeAtEdge } from "../encoding/client.ts";
import { encoderLoad } from "../encoding/encoder-load.ts";
import { Gate } from "../gate/gate.ts";
import { decodeImage } from "../media/decode-image.ts";
import { edgeDecoder } from "../media/edge-decoder.ts";
import type { EdgeModel } from "../model/edge-model.ts";
import { isGivenBack, processedOnce } from "./processed-once.ts";
import type { Stopwatch } from "./stopwatch.ts";
import type { ImageFile } from "./take-images.ts";

/** A picture as the encoder takes it. */
export interface Picture {
  /** Feature key: sha256 over all that the features depend on; names them in caches. */
  readonly hash: string;
  readonly processed: EncoderSource;
  /** Who encodes it. */
  readonly placement: "edge" | "origin";
  /** Feature rows that the encoder will make: how many placeholders it takes. */
  readonly rows: number;
}

/** What of a model pictures are prepared with. */
type PictureModel = Pick<EdgeModel, "imageProcessor" | "imageTokens"> & {
  readonly reader: Pick<EdgeModel["reader"], "release" | "digest">;
};

/** One picture at a time: the decoded one lies on the heap that the next one begins anew, until the job is done with it. */
const pictureGate = new Gate({
  capacity: 1,
  maxWaiting: MAX_WAITING_PICTURES,
  maxWaitMs: MAX_GATE_WAIT_MS,
  message: "Other pictures are being read. Try again shortly.",
});

/**
 * Decodes and processes the files one after another, so that one decoded picture is the peak. They can be given back
 * afterwards, and the same files still be processed for a release that processes alike.
 * @param text what the family's encoder reads of the prompt; it counts in the feature key
 */
export async function processImages(
  files: readonly ImageFile[],
  { imageProcessor, imageTokens, reader }: PictureModel,
  stopwatch: Stopwatch,
  text: Pick<EncoderSource, "qformer_input_ids"> = {},
): Promise<Picture[]> {
  if (files.length === 0) return [];
  if (imageProcessor === null) {
    throw new FoveaError("invalid_request", "This model takes text only.", { param: files[0]?.param ?? "messages" });
  }
  const maxImages = imageTokens?.maxImages ?? Infinity;
  if (files.length > maxImages) {
    throw new FoveaError(
      "too_many_images",
      `The messages have ${files.length} images; this model takes at most ${maxImages} in a chat.`,
      { param: "messages" },
    );
  }
  checkRequestPixels(files.filter((file) => !isGivenBack(file)).map(headerOf));
  const pictures: Picture[] = [];
  let pixelBytes = 0;
  for (const file of files) {
    const process = (): Promise<ProcessedImages> => processOne(file, imageProcessor, files.length, stopwatch);
    const processed = { ...(await processedOnce(file, reader.release, process)), ...text };
    pixelBytes += processed.pixels.byteLength;
    if (pixelBytes > 3 * MAX_REQUEST_PROCESSED_PIXELS) {
      const { param } = file;
      throw new FoveaError("image_too_large", "The images are too large together. Send fewer or smaller ones.", {
        param,
      });
    }
    const rows = processed.num_image_tokens.reduce((sum, count) => sum + count, 0);
    const picture = { imageTokens: rows, pixelBytes: processed.pixels.byteLength };
    const edgeBusy = encoderLoad.isBusy();
    const { where } = place(reader.release, picture, { encoderMemoryBytes: ENCODER_RELEASE_BUDGET_BYTES, edgeBusy });
    const hash = await featureKey(reader.release.featureId, where, processed);
    pictures.push({ hash, processed, rows, placement: where });
  }
  return pictures;
}

async function processOne(
  { bytes, param }: ImageFile,
  imageProcessor: ImageProcessor,
  imagesInRequest: number,
  stopwatch: Stopwatch,
): Promise<ProcessedImages> {
  try {
    return await pictureGate.run(1, async () => {
      const { transparency } = imageProcessor;
      const image = await stopwatch.time("image_decode", "edge", () =>
        decodeImage(bytes, edgeDecoder, { transparency }),
      );
      return stopwatch.time("preprocess", "edge", () => imageProcessor.process(image, { imagesInRequest }));
    });
  } catch (error) {
    throw withParam(error, param);
  }
}

function headerOf({ bytes, param }: ImageFile): ImageHeader {
  try {
    const header = readImageHeader(bytes);
    checkImageLimits(header);
    return header;
  } catch (error) {
    throw withParam(error, param);
  }
}

/** What a client caused, with the picture that caused it. */
function withParam(error: unknown, param: string): unknown {
  if (!(error instanceof FoveaError) || error.param !== null || error.status >= 500) return error;
  return new FoveaError(error.code, error.message, { param, cause: error });
}

/** Projected features of one picture, made by the encoder Worker. */
export async function encodePicture(
  { processed, rows }: Picture,
  { reader }: EdgeModel,
  env: Env,
  stopwatch: Stopwatch,
): Promise<EncodeResult> {
  const { name, version } = reader.release;
  const release = { model: name, version, digest: reader.digest };
  const features = await stopwatch.time("encode", "encoder", () => encodeAtEdge(env, { release, processed }));
  if (features.rows !== rows) throw new Error(`The encoder made ${features.rows} rows, the processor counted ${rows}.`);
  return features;
}

/**
 * The processed pixels are what the encoder reads, so two files that decode alike share their features; two runtimes do not.
 * sha256 over the length of the head (u32), the head and the pixels, which are hashed where they lie.
 */
async function featureKey(
  featureId: string,
  placement: "edge" | "origin",
  { pixels, ...rest }: EncoderSource,
): Promise<string> {
  const head = new TextEncoder().encode(JSON.stringify([featureId, placement, rest]));
  const length = new DataView(new ArrayBuffer(4));
  length.setUint32(0, head.byteLength);
  const hash = new crypto.DigestStream("SHA-256");
  const writer = hash.getWriter();
  for (const part of [length, head, pixels]) await writer.write(part);
  await writer.close();
  return toHex(new Uint8Array(await hash.digest));
}
