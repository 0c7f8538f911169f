import { FoveaError } from "../../../shared/errors/error.ts";
import type { ProcessedImages } from "../../../shared/image/processors/image-processor.ts";
import type { Release } from "../../../shared/releases/release.ts";
import type { ImageFile } from "./take-images.ts";

/** A file belongs to one request, so nothing in here outlives it. */
const processedFiles = new WeakMap<ImageFile, { readonly by: string; readonly processed: ProcessedImages }>();

/**
 * What a picture becomes, made at most once for a request: the files are given back when all are processed, and a second
 * release that the request may need mostly processes as the first one does.
 *
 * @throws FoveaError `release_unavailable` when it does not and the file is gone
 */
export async function processedOnce(
  file: ImageFile,
  release: Release,
  process: () => Promise<ProcessedImages>,
): Promise<ProcessedImages> {
  const by = processorOf(release);
  const known = processedFiles.get(file);
  if (known?.by === by) return known.processed;
  if (isGivenBack(file)) {
    throw new FoveaError("release_unavailable", "The model has just changed. Send the request again.");
  }
  const processed = await process();
  processedFiles.set(file, { by, processed });
  return processed;
}

export function isGivenBack({ bytes }: ImageFile): boolean {
  return bytes.buffer.detached;
}

/** The content of all that an image processor is made of. */
function processorOf({ stages, files }: Release): string {
  return (stages.image_processor?.files ?? []).map((name) => files[name]?.sha256).join(" ");
}
