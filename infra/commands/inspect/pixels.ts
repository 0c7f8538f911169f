import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { defineCommand } from "citty";
import { createWasmDecoder } from "../../../functions/edge/media/wasm-decoder.ts";
import { decodeImage } from "../../../shared/image/decode-image.ts";
import { createImageProcessor } from "../../../shared/image/processors/create-image-processor.ts";
import { createWasmResize } from "../../../shared/image/resample/wasm-resize.ts";
import { tensorOf } from "../../../shared/safetensors/dtypes.ts";
import { encodeSafetensors } from "../../../shared/safetensors/encode.ts";
import { loadCodecModules } from "./codec-modules.node.ts";
import { inspectEach, readPicture } from "./picture-files.ts";
import { readJsonFile } from "./read-json.ts";

/**
 * `fovea inspect pixels`: what the edge makes of picture files, by the very code that runs there.
 *
 * Writes `<file name>.safetensors` with `rgb` (U8 `[H, W, 3]`: decoded, upright, composited) and `pixel_values` (F32,
 * upstream's shape).
 */
export const inspectPixels = defineCommand({
  meta: {
    name: "pixels",
    description: "Write the decoded and the processed pixels of picture files; exit 1 when one fails",
  },
  args: {
    processor: { type: "string", required: true, description: "preprocessor_config.json of the model" },
    out: { type: "string", required: true, description: "Folder for the .safetensors files" },
    json: { type: "boolean", default: false, description: "Print one JSON line a file, also for one that fails" },
    files: { type: "positional", required: true, many: true, description: "FILE... Picture files" },
  },
  async run({ args }) {
    const modules = await loadCodecModules();
    const config = await readJsonFile("processor", args.processor);
    const resize = createWasmResize(modules.resample);
    const processor = createImageProcessor(config, undefined, undefined, { resize });
    const decoder = createWasmDecoder(modules);
    await mkdir(args.out, { recursive: true });
    await inspectEach(args._, {
      json: args.json,
      suffix: ".safetensors",
      async work(file, name) {
        const image = await decodeImage(await readPicture(file), decoder, { transparency: processor.transparency });
        const processed = processor.process(image);
        const { width, height } = image;
        const encoded = encodeSafetensors({
          rgb: tensorOf("U8", [height, width, 3], image.data),
          pixel_values: tensorOf("F32", processed.shape, processor.toPixelValues(processed)),
        });
        await writeFile(path.join(args.out, name), encoded);
        return { width, height };
      },
      describe: ({ width, height }) => `${width} x ${height}`,
    });
  },
});
