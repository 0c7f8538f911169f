import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

/**
 * transformers.js on the same `decoder_model_merged_q4.onnx`, in a process of its own. It loads decoders with separate
 * `embed_tokens` only as vision-language models, so the folder poses as one; the vision encoder is loaded and never run.
 *
 *     node transformers-js.ts PEERS_DIR MODEL_DIR EMBED_TOKENS VISION_ENCODER THREADS TOKENS
 *
 * Prints `{ready}`, then `{tokens_per_second}` for each line `[[id, ...]]`, one prompt.
 */
const [peers = "", model = "", embedTokens = "", visionEncoder = "", threads = "2", tokens = "48"] =
  process.argv.slice(2);

interface Streamer {
  put(value: unknown): void;
  end(): void;
}
interface Session {
  readonly inputMetadata: readonly { readonly shape: readonly (number | string)[] }[];
}
interface Model {
  readonly sessions: Record<string, Session>;
  generate(options: Record<string, unknown>): Promise<unknown>;
}
interface Library {
  readonly env: { localModelPath: string; allowRemoteModels: boolean };
  readonly Tensor: new (type: string, data: BigInt64Array, dims: number[]) => unknown;
  readonly BaseStreamer: new () => Streamer;
  readonly LlavaForConditionalGeneration: { from_pretrained(name: string, options: object): Promise<Model> };
}

const folder = poseAsVisionLanguageModel();
const library = (await import(
  pathToFileURL(join(peers, "node_modules/@huggingface/transformers/dist/transformers.node.mjs")).href
)) as Library;
library.env.localModelPath = folder;
library.env.allowRemoteModels = false;
const loaded = await library.LlavaForConditionalGeneration.from_pretrained("model", {
  dtype: "q4",
  local_files_only: true,
  session_options: { intraOpNumThreads: Number(threads) },
});
nameBatchDimension(loaded.sessions["decoder_model_merged"]);
await generate([1, 2, 3]);
console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin })) {
  const [ids = []] = JSON.parse(line) as number[][];
  console.log(JSON.stringify({ tokens_per_second: await generate(ids) }));
}
process.exit(0);

/** Tokens per second after the first token. */
async function generate(ids: readonly number[]): Promise<number> {
  const times: number[] = [];
  class Clock extends library.BaseStreamer {
    override put(): void {
      times.push(performance.now());
    }
    override end(): void {
      // The prompt is put first, then one call a token.
    }
  }
  const dims = [1, ids.length];
  await loaded.generate({
    input_ids: new library.Tensor("int64", BigInt64Array.from(ids, BigInt), dims),
    attention_mask: new library.Tensor("int64", new BigInt64Array(ids.length).fill(1n), dims),
    max_new_tokens: Number(tokens),
    min_new_tokens: Number(tokens),
    do_sample: false,
    streamer: new Clock(),
  });
  const [, first = 0] = times;
  const last = times.at(-1) ?? 0;
  return ((times.length - 2) / (last - first)) * 1000;
}

function poseAsVisionLanguageModel(): string {
  const root = mkdtempSync(join(tmpdir(), "fovea-bench-"));
  const to = join(root, "model");
  mkdirSync(join(to, "onnx"), { recursive: true });
  process.once("exit", () => rmSync(root, { recursive: true, force: true }));
  const link = (from: string, name: string): void => symlinkSync(resolve(from), join(to, name));
  link(join(model, "generation_config.json"), "generation_config.json");
  link(join(model, "onnx/decoder_model_merged_q4.onnx"), "onnx/decoder_model_merged_q4.onnx");
  const shared = join(model, "onnx/model_q4.onnx_data");
  if (existsSync(shared)) link(shared, "onnx/model_q4.onnx_data");
  // One dtype names all files.
  link(join(model, `onnx/${embedTokens}.onnx`), "onnx/embed_tokens_q4.onnx");
  link(visionEncoder, "onnx/vision_encoder_q4.onnx");
  if (readFileSync(visionEncoder).includes("vision_encoder.onnx_data"))
    throw new Error("the encoder needs its data file");
  const text = JSON.parse(readFileSync(join(model, "config.json"), "utf8")) as Record<string, unknown>;
  const config = {
    model_type: "llava",
    architectures: ["LlavaForConditionalGeneration"],
    text_config: text,
    vision_config: { model_type: "siglip_vision_model", hidden_size: 192, image_size: 224, patch_size: 14 },
    vocab_size: text["vocab_size"],
    image_token_index: Number(text["vocab_size"]) - 1,
    eos_token_id: 2,
  };
  writeFileSync(join(to, "config.json"), JSON.stringify(config));
  return root;
}

/** It finds the batch dimension by the name `batch_size`; these graphs call it otherwise. */
function nameBatchDimension(session: Session | undefined): void {
  if (session === undefined) throw new Error("no decoder was loaded");
  const named = session.inputMetadata.map((one) => ({
    ...one,
    shape: one.shape.map((size, axis) => (axis === 0 && typeof size === "string" ? "batch_size" : size)),
  }));
  Object.defineProperty(session, "inputMetadata", { value: named });
}
