import { FoveaError } from "../../shared/errors/error.ts";

/**
 * The body as text, read up to a cap and no further, whatever `content-length` says.
 * @throws FoveaError `body_too_large`, `invalid_json` when it is not UTF-8
 */
export async function readBody(request: Request, maxBytes: number): Promise<string> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
  if (request.body === null) return "";
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  const reader = request.body.getReader();
  let text = "";
  let bytes = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const chunk = next.value as Uint8Array;
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      text += decoder.decode(chunk, { stream: true });
    }
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
