import { FoveaError } from "../../../shared/errors/error.ts";
import type { AnswerEvent } from "../../../shared/frame/answer.ts";
import { openAnswer } from "../origin/client.ts";
import { forgetFeatures, isKnownToOrigin, rememberFeatures, type FeatureName } from "../origin/known-features.ts";
import type { ChatContext } from "./context.ts";
import { chatFrame, type FrameParts, type PictureForm } from "./frame.ts";
import { encodePicture, type Picture } from "./images.ts";

type ChatParts = Omit<FrameParts, "features">;

/**
 * Sends the frame of a chat. Pictures that the origin was seen to hold travel as a hash, and are not even encoded; when
 * it answers `409 features_missing` the frame goes once more with their features.
 * @throws FoveaError what encoder or origin answered
 */
export async function sendChat(
  parts: ChatParts,
  context: ChatContext,
): Promise<{ readonly events: AsyncGenerator<AnswerEvent>; readonly sentAt: number }> {
  const names = parts.pictures.map((picture) => featureName(picture, parts));
  const unknown = parts.pictures.filter((_, i) => !isKnownToOrigin(names[i]));
  const features = await encodeAll(unknown, new Map(), parts, context);
  try {
    return await send({ ...parts, features }, names, context);
  } catch (error) {
    if (!(error instanceof FoveaError) || error.code !== "features_missing") throw error;
    forgetFeatures(names);
    return send({ ...parts, features: await encodeAll(parts.pictures, features, parts, context) }, names, context);
  }
}

async function send(
  parts: FrameParts,
  names: readonly FeatureName[],
  { settings, requestId, traceparent, signal, stopwatch }: ChatContext,
): ReturnType<typeof sendChat> {
  const frame = chatFrame(parts);
  stopwatch.addWireBytes(frame.byteLength);
  const sentAt = stopwatch.now();
  const events = await openAnswer(settings, { frame, signal, requestId, traceparent });
  rememberFeatures(names);
  return { events, sentAt };
}

/** Features of the pictures, one encode for each that is not there yet. */
async function encodeAll(
  pictures: readonly Picture[],
  features: ReadonlyMap<string, PictureForm>,
  { model }: ChatParts,
  { env, stopwatch }: ChatContext,
): Promise<ReadonlyMap<string, PictureForm>> {
  const encoded = new Map(features);
  for (const picture of pictures) {
    if (encoded.has(picture.hash)) continue;
    const here = picture.placement === "edge";
    encoded.set(picture.hash, here ? await encodePicture(picture, model, env, stopwatch) : "pixels");
  }
  return encoded;
}

function featureName({ hash }: Picture, { model, salt }: ChatParts): FeatureName {
  return { contract: model.reader.release.contractId, hash, salt };
}
