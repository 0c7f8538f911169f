import type { EncodeResult, JobRelease } from "../../../shared/encoding/job.ts";
import { FoveaError } from "../../../shared/errors/error.ts";
import type { ProcessedImages } from "../../../shared/image/processors/image-processor.ts";
import { MAX_IMAGES_PER_REQUEST } from "../../../shared/limits/limits.ts";
import { sha256Hex } from "../../../shared/releases/digest.ts";
import type { ChatRequest } from "../../../shared/openai/chat-request.ts";
import { codecModules } from "../media/codec-modules.workerd.ts";
import { decodeImage } from "../media/decode-image.ts";
import { PictureGate } from "../media/picture-gate.ts";
import { createWasmDecoder } from "../media/wasm-decoder.ts";
import { encodeAtEdge } from "../encoding/client.ts";
import type { EdgeModel } from "../model/edge-model.ts";
import { decodeDataUri } from "./data-uri.ts";
import type { Stopwatch } from "./stopwatch.ts";

/** A picture of the request, with where it stands, for error messages. */
export interface ImageRef {
  readonly url: string;
  readonly param: string;
}

/** What became of one picture. */
export interface EncodedImage {
  /** sha256 over all that the features depend on: names them in caches. */
  readonly hash: string;
  readonly processed: Omit<ProcessedImages, "pixels">;
  readonly features: EncodeResult;
}

const decoder = createWasmDecoder(codecModules);
const gate = new PictureGate();

/** All pictures of all messages, in the order of their placeholders. */
export function imagesOf(request: ChatRequest): ImageRef[] {
  const images = request.messages.flatMap((message, m) =>
    typeof message.content === "string" || !Array.isArray(message.content)
      ? []
      : message.content.flatMap((part, p) =>
          part.type === "image_url"
            ? [{ url: part.image_url.url, param: `messages[${m}].content[${p}].image_url.url` }]
            : [],
        ),
  );
  if (images.length > MAX_IMAGES_PER_REQUEST) {
    throw new FoveaError(
      "too_many_images",
      `The request has ${images.length} images; at most ${MAX_IMAGES_PER_REQUEST} are taken.`,
      { param: "messages" },
    );
  }
  return images;
}

/** One picture at a time, so that one decoded picture is the peak: decode, process, then encode in the other Worker. */
export async function encodeImages(
  images: readonly ImageRef[],
  model: EdgeModel,
  env: Env,
  stopwatch: Stopwatch,
): Promise<EncodedImage[]> {
  const { imageProcessor, reader } = model;
  if (images.length > 0 && imageProcessor === null) {
    throw new FoveaError("invalid_request", "This model takes text only.", { param: images[0]?.param ?? "messages" });
  }
  const release: JobRelease = { model: reader.release.name, version: reader.release.version, digest: reader.digest };
  const encoded: EncodedImage[] = [];
  for (const image of images) {
    const processed = await processOne(image, model, images.length, stopwatch);
    const { pixels: _pixels, ...rest } = processed;
    const hash = await featureKey(reader.release.featureId, processed);
    const start = stopwatch.now();
    const features = await encodeAtEdge(env, { release, processed });
    stopwatch.add("encode", "encoder", start, stopwatch.now() - start);
    encoded.push({ hash, processed: rest, features });
  }
  return encoded;
}

async function processOne(
  { url, param }: ImageRef,
  { imageProcessor }: EdgeModel,
  imagesInRequest: number,
  stopwatch: Stopwatch,
): Promise<ProcessedImages> {
  if (imageProcessor === null) throw new FoveaError("internal_error", "No image processor.");
  try {
    // The decoded picture lies on the codec's heap: nobody else may decode before it is processed
    return await gate.run(async () => {
      const image = await stopwatch.time("image_decode", "edge", () =>
        decodeImage(decodeDataUri(url, param), decoder, { transparency: imageProcessor.transparency }),
      );
      return stopwatch.time("preprocess", "edge", () => imageProcessor.process(image, { imagesInRequest }));
    });
  } catch (error) {
    if (error instanceof FoveaError && error.param === null)
      throw new FoveaError(error.code, error.message, { param, cause: error });
    throw error;
  }
}

/**
 * Feature key: sha256 over the feature id and all that the encoder reads. The processed pixels are what it reads, so two
 * files that decode alike share their features.
 */
async function featureKey(featureId: string, { pixels, ...rest }: ProcessedImages): Promise<string> {
  const head = new TextEncoder().encode(JSON.stringify([featureId, rest]));
  const input = new Uint8Array(4 + head.byteLength + pixels.byteLength);
  new DataView(input.buffer).setUint32(0, head.byteLength);
  input.set(head, 4);
  input.set(pixels, 4 + head.byteLength);
  return sha256Hex(input);
}
