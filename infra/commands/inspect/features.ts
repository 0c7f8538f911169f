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
import { readPicture } from "./pixels.ts";

/**
 * `fovea inspect features`: the projected features of picture files, made by the encoder Worker in real workerd. Writes
 * `<file name>.features.safetensors` with `image_features` (F16 `[rows, D]`, as they travel).
 */
export const inspectFeatures = defineCommand({
  meta: { name: "features", description: "Write the projected features of picture files, made in workerd" },
  args: {
    files: { type: "positional", required: true, many: true, description: "FILE... Picture files" },
    model: { type: "string", default: BUILTIN_DIR, description: "Model folder" },
    out: { type: "string", required: true, description: "Folder for the .safetensors files" },
    json: { type: "boolean", default: false, description: "Print one JSON line a file" },
  },
  async run({ args }) {
    const processor = await imageProcessorOf(await readHubFolder(args.model));
    const decoder = createWasmDecoder(await loadCodecModules());
    await mkdir(args.out, { recursive: true });
    const encoder = await startEncoder(await planRelease(args.model));
    try {
      for (const file of args._) {
        const image = await decodeImage(await readPicture(file), decoder, { transparency: processor.transparency });
        const { image_features, rows, width, runtime, encode_ms } = await encoder.encode(processor.process(image));
        const target = path.join(args.out, `${path.basename(file)}.features.safetensors`);
        await writeFile(
          target,
          encodeSafetensors({ image_features: tensorOf("F16", [rows, width], image_features) }, { runtime }),
        );
        const ms = Math.round(encode_ms);
        console.log(
          args.json
            ? JSON.stringify({ file, ok: true, rows, width, runtime, encode_ms })
            : `${file}: F16 [${rows}, ${width}] by ${runtime} in ${ms} ms -> ${target}`,
        );
      }
    } finally {
      await encoder.stop();
    }
  },
});
