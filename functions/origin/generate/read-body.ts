import { FoveaError } from "../../../shared/errors/error.ts";

/**
 * A request's body, read up to a cap and no further, whatever `content-length` claims.
 * @throws FoveaError `body_too_large`; `invalid_frame` when the client leaves before its end
 */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const claimed = Number(request.headers.get("content-length") ?? 0);
  if (claimed > maxBytes) throw tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    // Leaving the loop by a throw cancels the stream.
    for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
      length += chunk.byteLength;
      if (length > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof FoveaError) throw cause;
    throw new FoveaError("invalid_frame", "The body broke off.", { cause });
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.byteLength;
  }
  return body;
}

function tooLarge(maxBytes: number): FoveaError {
  return new FoveaError("body_too_large", `The frame is larger than ${maxBytes / 1024 / 1024} MiB.`);
}
