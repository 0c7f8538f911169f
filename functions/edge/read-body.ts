import { FoveaError } from "../../shared/errors/error.ts";
import { MAX_DISCARDED_BODY_BYTES } from "../../shared/limits/limits.ts";

/**
 * The body as text, kept up to a cap and no further, whatever `content-length` says. What is beyond is read and thrown
 * away, up to a second cap: many clients look for an answer only when they have sent everything, and would report a
 * broken connection instead of ours.
 * @throws FoveaError `body_too_large`, `invalid_json` when it is not UTF-8
 */
export async function readBody(request: Request, maxBytes: number): Promise<string> {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_DISCARDED_BODY_BYTES) throw tooLarge(maxBytes);
  if (request.body === null) return "";
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  const reader = (request.body as ReadableStream<Uint8Array>).getReader();
  let text = "";
  let bytes = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      bytes += next.value.byteLength;
      if (bytes > MAX_DISCARDED_BODY_BYTES) break;
      if (bytes > maxBytes) text = "";
      else text += decoder.decode(next.value, { stream: true });
    }
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    return text + decoder.decode();
  } catch (error) {
    await reader.cancel().catch(() => undefined);
    if (error instanceof FoveaError) throw error;
    throw new FoveaError("invalid_json", "The body is not UTF-8 text.", { cause: error });
  }
}

function tooLarge(maxBytes: number): FoveaError {
  const mib = maxBytes / 1024 / 1024;
  return new FoveaError("body_too_large", `The request body is larger than ${mib} MiB. Send fewer or smaller images.`);
}
