import { FoveaError } from "../../../shared/errors/error.ts";
import { MAX_IMAGE_FILE_BYTES } from "../../../shared/limits/image.ts";
import { MAX_IMAGES_PER_REQUEST } from "../../../shared/limits/limits.ts";
import type { ChatRequest } from "../../../shared/openai/chat-request.ts";
import type { LiftedBody } from "../body/lift-images.ts";

/** A picture file of the request, with where it stands, for error messages. */
export interface ImageFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly param: string;
}

/**
 * All picture files of all messages, in the order of their placeholders. Nothing is ever fetched: only data URIs
 * (RFC 2397, base64) are pictures. What a URI claims to be does not matter; the decoder goes by the bytes.
 * @throws FoveaError `too_many_images`, `unsupported_image_url`, `invalid_image`, `image_too_large`, `invalid_request`
 */
export function takeImages(request: ChatRequest, lifted: LiftedBody): ImageFile[] {
  const urls = imageUrls(request);
  if (urls.length > MAX_IMAGES_PER_REQUEST) {
    throw new FoveaError(
      "too_many_images",
      `The request has ${urls.length} images; at most ${MAX_IMAGES_PER_REQUEST} are taken.`,
      { param: "messages" },
    );
  }
  const files = urls.map(({ url, param }) => ({ bytes: liftedBytes(url, param, lifted), param }));
  checkNoStandIns(request, lifted, files.length);
  return files;
}

/** Fields that nobody reads may hold data URIs; where one would be read, its stand-in would be read in its place. */
function checkNoStandIns(request: ChatRequest, { images, standIn }: LiftedBody, owned: number): void {
  if (images.length <= owned) return;
  let found = 0;
  // No recursion: a client decides how deep this is
  const rest: unknown[] = [request];
  while (rest.length > 0) {
    const value = rest.pop();
    if (typeof value === "string" && value.startsWith(standIn)) found += 1;
    if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) rest.push(inner);
  }
  if (found > owned) {
    throw new FoveaError("invalid_request", "The request has data URIs in other places than image_url parts.");
  }
}

function imageUrls(request: ChatRequest): { readonly url: string; readonly param: string }[] {
  return request.messages.flatMap(({ content }, m) =>
    Array.isArray(content)
      ? content.flatMap((part, p) =>
          part.type === "image_url"
            ? [{ url: part.image_url.url, param: `messages[${m}].content[${p}].image_url.url` }]
            : [],
        )
      : [],
  );
}

function liftedBytes(url: string, param: string, { images, standIn }: LiftedBody): Uint8Array<ArrayBuffer> {
  if (!url.startsWith(standIn)) throw unsupported(url, param);
  const bytes = images[Number(url.slice(standIn.length))];
  if (bytes === null || bytes === undefined) {
    throw new FoveaError("invalid_image", "The image is not valid base64.", { param });
  }
  if (bytes.byteLength === 0) throw new FoveaError("invalid_image", "The image is empty.", { param });
  if (bytes.byteLength > MAX_IMAGE_FILE_BYTES) {
    const mib = MAX_IMAGE_FILE_BYTES / 1024 / 1024;
    throw new FoveaError("image_too_large", `The image file is larger than ${mib} MiB. Send a smaller one.`, { param });
  }
  return bytes;
}

function unsupported(url: string, param: string): FoveaError {
  const message = /^data:/i.test(url)
    ? "The data URI is not an image in base64. Write it as data:image/png;base64,...."
    : "Images are sent as data URIs (data:image/png;base64,...); no URL is fetched.";
  return new FoveaError("unsupported_image_url", message, { param });
}
