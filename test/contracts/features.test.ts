import { readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createWasmDecoder } from "../../functions/edge/media/wasm-decoder.ts";
import { loadCodecModules } from "../../infra/commands/inspect/codec-modules.node.ts";
import { BUILTIN_DIR, BUILTIN_EXAMPLES } from "../../infra/local/builtin.ts";
import { startEncoder, type LocalEncoder } from "../../infra/local/encoder-only.ts";
import { planRelease } from "../../infra/releases/plan-release.ts";
import { decodeF16 } from "../../shared/frame/f16.ts";
import { decodeImage } from "../../shared/image/decode-image.ts";
import { createImageProcessor } from "../../shared/image/processors/create-image-processor.ts";
import { decodeSafetensors } from "../../shared/safetensors/decode.ts";
import { asFloat16Bits } from "../../shared/safetensors/dtypes.ts";
import { examples } from "../examples.ts";

/** Below this a picture's features are no longer the model's. Measured: see design/measured.md. */
const MIN_COSINE = 0.999;

const all = await examples();
const golden = decodeSafetensors(
  new Uint8Array(await readFile(path.join(import.meta.dirname, "../golden/features/image_features.safetensors"))),
  { maxHeaderBytes: 65_536, maxTensors: 64 },
);

function cosine(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return ab / Math.sqrt(aa * bb);
}

describe("image features made in workerd, against the fp32 graph fed by Pillow", () => {
  let encoder: LocalEncoder;
  beforeAll(async () => {
    encoder = await startEncoder(await planRelease(BUILTIN_DIR));
  });
  afterAll(() => encoder.stop());

  it.each(all)("$image", async ({ image }) => {
    const config: unknown = JSON.parse(await readFile(path.join(BUILTIN_DIR, "preprocessor_config.json"), "utf8"));
    const processor = createImageProcessor(config);
    const picture = await decodeImage(
      await readFile(path.join(BUILTIN_EXAMPLES, image)),
      createWasmDecoder(await loadCodecModules()),
    );
    const { image_features, rows, width } = await encoder.encode(processor.process(picture));
    const expected = golden.tensors.get(image);
    if (expected === undefined) throw new Error(`no golden features of ${image}`);
    expect([rows, width]).toEqual(expected.shape);
    expect(cosine(decodeF16(image_features), decodeF16(asFloat16Bits(expected)))).toBeGreaterThanOrEqual(MIN_COSINE);
  });
});
