import { FoveaError } from "../../../shared/errors/error.ts";
import { MAX_IMAGE_FILE_BYTES } from "../../../shared/limits/image.ts";

const PREFIX = /^data:(image\/[a-z0-9.+-]{1,40});base64,/i;

/**
 * The bytes of a picture in a data URI (RFC 2397, base64). Nothing is ever fetched: an `http:` or `file:` URL is refused.
 * What the URI claims to be does not matter; the decoder goes by the bytes.
 * @param param path of the field, for the error
 * @throws FoveaError `unsupported_image_url`, `invalid_image`, `image_too_large`
 */
export function decodeDataUri(url: string, param: string): Uint8Array<ArrayBuffer> {
  const prefix = PREFIX.exec(url.slice(0, 80))?.[0];
  if (prefix === undefined) throw unsupported(url, param);
  const base64 = url.slice(prefix.length);
  if (base64.length > Math.ceil(MAX_IMAGE_FILE_BYTES / 3) * 4 + 4) throw tooLarge(param);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Uint8Array.fromBase64(base64);
  } catch (cause) {
    throw new FoveaError("invalid_image", "The image is not valid base64.", { param, cause });
  }
  if (bytes.byteLength > MAX_IMAGE_FILE_BYTES) throw tooLarge(param);
  if (bytes.byteLength === 0) throw new FoveaError("invalid_image", "The image is empty.", { param });
  return bytes;
}

function unsupported(url: string, param: string): FoveaError {
  const scheme = /^[a-z][a-z0-9+.-]{0,20}:/i.exec(url)?.[0] ?? "";
  const message =
    scheme.toLowerCase() === "data:"
      ? "The data URI is not an image in base64. Write it as data:image/png;base64,...."
      : "Images are sent as data URIs (data:image/png;base64,...); no URL is fetched.";
  return new FoveaError("unsupported_image_url", message, { param });
}

function tooLarge(param: string): FoveaError {
  const mib = MAX_IMAGE_FILE_BYTES / 1024 / 1024;
  return new FoveaError("image_too_large", `The image file is larger than ${mib} MiB. Send a smaller one.`, { param });
}
