import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { defineCommand } from "citty";
import { createWasmDecoder } from "../../../functions/edge/media/wasm-decoder.ts";
import { FoveaError, toFoveaError } from "../../../shared/errors/error.ts";
import { decodeImage } from "../../../shared/image/decode-image.ts";
import { checkImageFileSize } from "../../../shared/image/header/check-image-limits.ts";
import type { PictureDecoder } from "../../../shared/image/picture-decoder.ts";
import { createImageProcessor } from "../../../shared/image/processors/create-image-processor.ts";
import type { ImageProcessor } from "../../../shared/image/processors/image-processor.ts";
import { createWasmResize } from "../../../shared/image/resample/wasm-resize.ts";
import { tensorOf } from "../../../shared/safetensors/dtypes.ts";
import { encodeSafetensors } from "../../../shared/safetensors/encode.ts";
import { loadCodecModules } from "./codec-modules.node.ts";

/** One line a file. */
export type InspectLine =
  | { readonly file: string; readonly ok: true; readonly width: number; readonly height: number }
  | { readonly file: string; readonly ok: false; readonly code: string; readonly message: string };

/**
 * `fovea inspect pixels`: what the edge makes of picture files, by the very code that runs there.
 *
 * Writes `<file name>.safetensors` with `rgb` (U8 `[H, W, 3]`: decoded, upright, composited) and `pixel_values` (F32,
 * upstream's shape). A file that cannot be read becomes a line with `ok: false` and stops nothing; the exit status is
 * 0 when every file has its line.
 */
export const inspectPixels = defineCommand({
  meta: { name: "pixels", description: "Write the decoded and the processed pixels of picture files" },
  args: {
    processor: { type: "string", required: true, description: "preprocessor_config.json of the model" },
    out: { type: "string", required: true, description: "Folder for the .safetensors files" },
    json: { type: "boolean", default: false, description: "Print one JSON line a file" },
    files: { type: "positional", required: true, many: true, description: "FILE... Picture files" },
  },
  async run({ args }) {
    const modules = await loadCodecModules();
    const config: unknown = JSON.parse(await readFile(args.processor, "utf8"));
    const resize = createWasmResize(modules.resample);
    const processor = createImageProcessor(config, undefined, undefined, { resize });
    const decoder = createWasmDecoder(modules);
    await mkdir(args.out, { recursive: true });
    const names = new Map<string, string>();
    for (const file of args._) {
      const line = await inspectFile(file, { processor, decoder, out: args.out, names });
      process.stdout.write(`${args.json ? JSON.stringify(line) : describe(line)}\n`);
    }
  },
});

interface Inspection {
  readonly processor: ImageProcessor;
  readonly decoder: PictureDecoder;
  readonly out: string;
  /** Output name -> the file that it was written for. */
  readonly names: Map<string, string>;
}

/** Decodes, processes and writes one file; whatever fails becomes the line. */
async function inspectFile(file: string, { processor, decoder, out, names }: Inspection): Promise<InspectLine> {
  try {
    const name = `${path.basename(file)}.safetensors`;
    const first = names.get(name);
    if (first !== undefined) {
      throw new FoveaError("invalid_request", `${name} was written for ${first}. Rename one, or use two folders.`);
    }
    const bytes = await readPicture(file);
    const image = await decodeImage(bytes, decoder, { transparency: processor.transparency });
    const processed = processor.process(image);
    const { width, height } = image;
    const encoded = encodeSafetensors({
      rgb: tensorOf("U8", [height, width, 3], image.data),
      pixel_values: tensorOf("F32", processed.shape, processor.toPixelValues(processed)),
    });
    await writeFile(path.join(out, name), encoded);
    names.set(name, file);
    return { file, ok: true, width, height };
  } catch (error) {
    const { code, message } = toFoveaError(error);
    return { file, ok: false, code, message };
  }
}

/** Looks at the size before it reads, so that no file is larger in memory than the edge would take it. */
export async function readPicture(file: string): Promise<Uint8Array> {
  let found;
  try {
    found = await stat(file);
  } catch (cause) {
    throw new FoveaError("not_found", "The file cannot be read.", { cause });
  }
  if (!found.isFile()) throw new FoveaError("invalid_image", "This is not a file.");
  checkImageFileSize(found.size);
  return readFile(file);
}

function describe(line: InspectLine): string {
  return line.ok ? `${line.file}: ${line.width} x ${line.height}` : `${line.file}: ${line.code}: ${line.message}`;
}
