import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tinyTokenizer } from "../../shared/tokenizer/tiny-tokenizer.ts";
import { concatBytes, writeField, writeVarintField } from "./onnx/wire.ts";

const text = (value: string) => new TextEncoder().encode(value);

const STAGES = ["vision_encoder", "embed_tokens", "decoder_model_merged"] as const;
/** Made once: twenty million numbers take a while. */
let graphs: readonly Uint8Array[] | undefined;

/** A model folder for tests of publishing. Nothing can run it. */
export async function writeTinyFolder(dir: string): Promise<void> {
  await mkdir(join(dir, "onnx"), { recursive: true });
  await writeFile(join(dir, "config.json"), JSON.stringify({ model_type: "llava" }));
  await writeFile(join(dir, "preprocessor_config.json"), "{}");
  await writeFile(join(dir, "tokenizer.json"), JSON.stringify(tinyTokenizer()));
  await writeFile(join(dir, "tokenizer_config.json"), JSON.stringify({ chat_template: "{{ messages }}" }));
  graphs ??= STAGES.map((name) => tinyGraph(weights(name)));
  for (const [i, bytes] of graphs.entries()) await writeFile(join(dir, "onnx", `${STAGES[i]}.onnx`), bytes);
}

/** 20 MiB of the backbone, so that it has three shards; 4 KiB of the others. */
function weights(name: string): Uint8Array {
  const length = name === "decoder_model_merged" ? 20 * 1024 * 1024 : 4096;
  return Uint8Array.from({ length }, (_, i) => (i * 2654435761 + name.length) >>> 24);
}

/** An ONNX model with one float32 initializer, one input and one output; `location`: where the initializer's data lies instead. */
export function tinyGraph(raw: Uint8Array, location?: string): Uint8Array {
  const value = (name: string) =>
    concatBytes([writeField(1, text(name)), writeField(2, writeField(1, writeVarintField(1, 1n)))]);
  const data =
    location === undefined
      ? writeField(9, raw)
      : writeField(13, concatBytes([writeField(1, text("location")), writeField(2, text(location))]));
  const tensor = concatBytes([writeVarintField(2, 1n), writeField(8, text("w")), data]);
  const graph = concatBytes([writeField(5, tensor), writeField(11, value("x")), writeField(12, value("y"))]);
  return concatBytes([writeVarintField(1, 8n), writeField(7, graph)]);
}

/** Changes one byte in the second of the backbone's three shards. */
export async function changeOneWeight(dir: string): Promise<void> {
  const path = join(dir, "onnx", "decoder_model_merged.onnx");
  const bytes = await readFile(path);
  const at = 12 * 1024 * 1024;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, bytes);
}
