import { FoveaError } from "../../../shared/errors/error.ts";

/** A compressed body is not unpacked: its size would say nothing of what it takes. @throws FoveaError `unsupported_media_type` */
export function checkEncoding(headers: Headers): void {
  const encoding = headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  if (encoding === "" || encoding === "identity") return;
  throw new FoveaError(
    "unsupported_media_type",
    "Compressed request bodies are not taken. Send the JSON as it is, without content-encoding.",
  );
}
