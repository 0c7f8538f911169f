import { createImageProcessor } from "../../shared/image/processors/create-image-processor.ts";
import type { ImageProcessor } from "../../shared/image/processors/image-processor.ts";
import type { HubFolder } from "./hub-folder.ts";

/** The image processor of a model folder. @throws FoveaError `not_configured` when its files are damaged or its class is not known */
export async function imageProcessorOf(folder: HubFolder): Promise<ImageProcessor> {
  return createImageProcessor(
    await folder.json("preprocessor_config.json"),
    folder.has("processor_config.json") ? await folder.json("processor_config.json") : undefined,
    await folder.json("config.json"),
  );
}
