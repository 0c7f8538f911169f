import { readFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { createWasmDecoder } from "../../functions/edge/media/wasm-decoder.ts";
import { decodeImage } from "../../shared/image/decode-image.ts";
import { createImageProcessor } from "../../shared/image/processors/create-image-processor.ts";
import { loadCodecModules } from "../commands/inspect/codec-modules.node.ts";
import { readPicture } from "../commands/inspect/pixels.ts";

/** `examples/examples.json` of a model folder: pictures with questions, and the answers of the float32 graphs. */
const examplesSchema = z.array(z.object({ image: z.string(), question: z.string(), answer: z.string() }));

export interface Example {
  readonly question: string;
  readonly answer: string;
  /** As the release's image processor makes it. */
  readonly pixel_values: Float32Array;
  readonly shape: readonly number[];
}

/** The example pictures of a model folder through its own image processor; empty when it has none. */
export async function readExamples(dir: string): Promise<Example[]> {
  const json = async (name: string): Promise<unknown> => JSON.parse(await readFile(path.join(dir, name), "utf8"));
  let listed;
  try {
    listed = examplesSchema.parse(await json("examples/examples.json"));
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return [];
    throw thrown;
  }
  const processor = createImageProcessor(
    await json("preprocessor_config.json"),
    await json("processor_config.json").catch(() => undefined),
    await json("config.json"),
  );
  const decoder = createWasmDecoder(await loadCodecModules());
  const examples: Example[] = [];
  for (const { image, question, answer } of listed) {
    const bytes = await readPicture(path.join(dir, "examples", path.basename(image)));
    const processed = processor.process(await decodeImage(bytes, decoder, { transparency: processor.transparency }));
    const pixel_values = processor.toPixelValues(processed);
    examples.push({ question, answer, pixel_values, shape: processed.shape });
  }
  return examples;
}
