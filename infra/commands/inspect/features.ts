import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { defineCommand } from "citty";
import { createWasmDecoder } from "../../../functions/edge/media/wasm-decoder.ts";
import { decodeImage } from "../../../shared/image/decode-image.ts";
import { tensorOf } from "../../../shared/safetensors/dtypes.ts";
import { encodeSafetensors } from "../../../shared/safetensors/encode.ts";
import { BUILTIN_DIR } from "../../local/builtin.ts";
import { readHubFolder } from "../../releases/hub-folder.ts";
import { imageProcessorOf } from "../../releases/image-processor.ts";
import { planRelease } from "../../releases/plan-release.ts";
import { startEncoder } from "../../local/encoder-only.ts";
import { loadCodecModules } from "./codec-modules.node.ts";
import { inspectEach, readPicture } from "./picture-files.ts";

/**
 * `fovea inspect features`: the projected features of picture files, made by the encoder Worker in real workerd. Writes
 * `<file name>.features.safetensors` with `image_features` (F16 `[rows, D]`, as they travel).
 */
export const inspectFeatures = defineCommand({
  meta: {
    name: "features",
    description: "Write the projected features of picture files, made in workerd; exit 1 when one fails",
  },
  args: {
    files: { type: "positional", required: true, many: true, description: "FILE... Picture files" },
    model: { type: "string", default: BUILTIN_DIR, description: "Model folder" },
    out: { type: "string", required: true, description: "Folder for the .safetensors files" },
    json: { type: "boolean", default: false, description: "Print one JSON line a file, also for one that fails" },
  },
  async run({ args }) {
    const processor = await imageProcessorOf(await readHubFolder(args.model));
    const decoder = createWasmDecoder(await loadCodecModules());
    await mkdir(args.out, { recursive: true });
    const encoder = await startEncoder(await planRelease(args.model));
    try {
      await inspectEach(args._, {
        json: args.json,
        suffix: ".features.safetensors",
        async work(file, name) {
          const image = await decodeImage(await readPicture(file), decoder, { transparency: processor.transparency });
          const { image_features, rows, width, runtime, encode_ms } = await encoder.encode(processor.process(image));
          const tensors = { image_features: tensorOf("F16", [rows, width], image_features) };
          await writeFile(path.join(args.out, name), encodeSafetensors(tensors, { runtime }));
          return { rows, width, runtime, encode_ms };
        },
        describe: ({ rows, width, runtime, encode_ms }) =>
          `F16 [${rows}, ${width}] by ${runtime} in ${Math.round(encode_ms)} ms`,
      });
    } finally {
      await encoder.stop();
    }
  },
});
