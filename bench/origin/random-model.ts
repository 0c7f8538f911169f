import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { handBackRows } from "../../infra/releases/onnx/hand-back-rows.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { decoderGraph, embedTokensGraph, llamaConfig, SMOLLM2_135M, type Product } from "../graphs/decoder.ts";
import { int4Linear } from "../graphs/encoder.ts";
import { Random } from "../graphs/random.ts";
import { graphPath, MERGED, ROWS, type BenchModel } from "./model.ts";

/** As the hub's `_q4` files have it: activations are rounded to int8. */
const int8Activations: Product = (onnx, random, x, k, n) => int4Linear(onnx, random, x, k, n, 4);

/**
 * SmolLM2-135M's dimensions and dtypes with random weights, in a folder that is gone when the process ends: time depends on
 * nothing else. The decoder is around GroupQueryAttention, as the hub's are, and `ROWS` is what `fovea publish` makes of it.
 */
export async function writeRandomModel(): Promise<BenchModel> {
  const random = new Random(4);
  const prompt = (length: number): Int32Array => Int32Array.from({ length }, () => 3 + (random.uint() % 49_000));
  const model: BenchModel = {
    folder: await temporaryFolder("origin"),
    name: "random weights in SmolLM2-135M's dimensions",
    prompts: Array.from({ length: 16 }, (_, i) => prompt(32 + i)),
    long: prompt(612),
    graphs: [MERGED],
    gqa: MERGED,
    embedTokens: "embed_tokens_fp16",
  };
  const decoder = decoderGraph(SMOLLM2_135M, int8Activations);
  const rows = await handBackRows(decoder);
  if (rows === null) throw new Error("the decoder is left as it is when it is published");
  await mkdir(join(model.folder, "onnx"));
  await writeFile(graphPath(model, MERGED), decoder);
  await writeFile(graphPath(model, ROWS), rows);
  await writeFile(graphPath(model, model.embedTokens), embedTokensGraph(SMOLLM2_135M));
  const json = (name: string, value: object) => writeFile(join(model.folder, name), JSON.stringify(value));
  await json("config.json", { architectures: ["LlamaForCausalLM"], ...llamaConfig(SMOLLM2_135M) });
  await json("generation_config.json", { bos_token_id: 1, eos_token_id: 2, pad_token_id: 2 });
  return model;
}
