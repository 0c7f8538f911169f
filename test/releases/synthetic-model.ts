import { createHash } from "node:crypto";
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { concatBytes, writeField, writeHead, writeVarintField } from "../../infra/releases/onnx/wire.ts";
import { tinyTokenizer } from "../../shared/tokenizer/tiny-tokenizer.ts";

const MIB = 1024 * 1024;
const text = (value: string) => new TextEncoder().encode(value);

/**
 * Writes a model folder whose backbone has `megabytes` of weights that no two shards share, block by block, so that a
 * gigabyte takes no memory. The same seed gives the same bytes. Nothing can run it.
 */
export async function writeSyntheticModel(dir: string, megabytes: number, seed = 1): Promise<void> {
  await mkdir(join(dir, "onnx"), { recursive: true });
  await writeFile(join(dir, "config.json"), JSON.stringify({ model_type: "llama" }));
  await writeFile(join(dir, "tokenizer.json"), JSON.stringify(tinyTokenizer()));
  await writeFile(join(dir, "tokenizer_config.json"), JSON.stringify({ chat_template: "{{ messages }}" }));
  const value = (name: string) =>
    concatBytes([writeField(1, text(name)), writeField(2, writeField(1, writeVarintField(1, 1n)))]);
  const weightBytes = Math.floor((megabytes * 1_000_000) / 4) * 4;
  const tensorHead = concatBytes([writeVarintField(2, 1n), writeField(8, text("w")), writeHead(9, weightBytes)]);
  const tensorLength = tensorHead.length + weightBytes;
  const tail = concatBytes([writeField(11, value("inputs_embeds")), writeField(12, value("logits"))]);
  const graphHead = writeHead(5, tensorLength);
  const head = concatBytes([
    writeVarintField(1, 8n),
    writeHead(7, graphHead.length + tensorLength + tail.length),
    graphHead,
    tensorHead,
  ]);
  const file = await open(join(dir, "onnx", "decoder_model_merged.onnx"), "w");
  try {
    await file.write(head);
    for (let at = 0; at < weightBytes; at += MIB) await file.write(block(seed, at), 0, Math.min(MIB, weightBytes - at));
    await file.write(tail);
  } finally {
    await file.close();
  }
}

/** 1 MiB that is unlike any other: a digest in each of its first bytes, a counter in the rest. */
function block(seed: number, at: number): Uint8Array {
  const bytes = new Uint8Array(MIB).fill((seed * 31 + at / MIB) & 0xff);
  bytes.set(createHash("sha256").update(`${seed}:${at}`).digest());
  return bytes;
}
