import { FoveaError } from "../../../shared/errors/error.ts";
import { MAX_IMAGES_PER_REQUEST } from "../../../shared/limits/limits.ts";
import type { ChatRequest } from "../../../shared/openai/chat-request.ts";
import { decodeDataUri } from "./data-uri.ts";

/** A picture file of the request, with where it stands, for error messages. */
export interface ImageFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly param: string;
}

/**
 * All picture files of all messages, in the order of their placeholders. Takes them out of the request: its data URIs,
 * a third larger than the files, are then free before the first picture is decoded.
 * @throws FoveaError `too_many_images`, `unsupported_image_url`, `invalid_image`, `image_too_large`
 */
export function takeImages(request: ChatRequest): ImageFile[] {
  const parts = request.messages.flatMap(({ content }, m) =>
    Array.isArray(content)
      ? content.flatMap((part, p) =>
          part.type === "image_url"
            ? [{ image: part.image_url, param: `messages[${m}].content[${p}].image_url.url` }]
            : [],
        )
      : [],
  );
  if (parts.length > MAX_IMAGES_PER_REQUEST) {
    throw new FoveaError(
      "too_many_images",
      `The request has ${parts.length} images; at most ${MAX_IMAGES_PER_REQUEST} are taken.`,
      { param: "messages" },
    );
  }
  return parts.map(({ image, param }) => {
    const bytes = decodeDataUri(image.url, param);
    image.url = "";
    return { bytes, param };
  });
}
