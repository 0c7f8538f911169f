import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { createWasmDecoder } from "../../functions/edge/media/wasm-decoder.ts";
import { decodeImage } from "../../shared/image/decode-image.ts";
import { loadCodecModules } from "../commands/inspect/codec-modules.node.ts";
import { readPicture } from "../commands/inspect/picture-files.ts";
import { readHubFolder } from "../releases/hub-folder.ts";
import { imageProcessorOf } from "../releases/image-processor.ts";

/** `examples/examples.json` of a model folder: pictures with questions, and the answers of the float32 graphs. */
const examplesSchema = z.array(z.object({ image: z.string(), question: z.string(), answer: z.string() }));

export interface Example {
  readonly question: string;
  readonly answer: string;
  /** As the release's image processor makes it. */
  readonly pixel_values: Float32Array;
  readonly shape: readonly number[];
}

/** What the gate needs of a picture. */
export type ExamplePicture = Pick<Example, "pixel_values" | "shape">;

/** A picture's tiles: `[1, N, 3, H, W]` and `[N, 3, H, W]` are N of them. */
export function tilesOf(pixel_values: Float32Array, shape: readonly number[]): Float32Array[] {
  const size = shape.slice(-3).reduce((a, b) => a * b, 1);
  return Array.from({ length: pixel_values.length / size }, (_, i) => pixel_values.subarray(i * size, (i + 1) * size));
}

/** Turns picture files into `pixel_values` by the image processor of a model folder. */
async function openProcessor(dir: string): Promise<(file: string) => Promise<ExamplePicture>> {
  const processor = await imageProcessorOf(await readHubFolder(dir));
  const decoder = createWasmDecoder(await loadCodecModules());
  return async (file) => {
    const image = await decodeImage(await readPicture(file), decoder, { transparency: processor.transparency });
    const processed = processor.process(image);
    return { pixel_values: processor.toPixelValues(processed), shape: processed.shape };
  };
}

/** The example pictures of a model folder through its own image processor; empty when it has none. */
export async function readExamples(dir: string): Promise<Example[]> {
  let listed;
  try {
    listed = examplesSchema.parse(JSON.parse(await readFile(path.join(dir, "examples/examples.json"), "utf8")));
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return [];
    throw thrown;
  }
  const process = await openProcessor(dir);
  const examples: Example[] = [];
  for (const { image, question, answer } of listed) {
    examples.push({ question, answer, ...(await process(path.join(dir, "examples", path.basename(image)))) });
  }
  return examples;
}

/** All picture files of a folder, for a model that brings no examples. */
export async function readPictures(dir: string, folder: string): Promise<ExamplePicture[]> {
  const process = await openProcessor(dir);
  const pictures: ExamplePicture[] = [];
  for (const name of (await readdir(folder)).filter((file) => /\.(png|jpe?g|webp|gif|bmp)$/i.test(file)).toSorted()) {
    pictures.push(await process(path.join(folder, name)));
  }
  return pictures;
}
