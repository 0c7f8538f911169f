import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { concatBytes, writeField } from "../releases/onnx/wire.ts";
import { inputsHash } from "./inputs-hash.ts";

const GRAPH = "onnx/vision_encoder.onnx";
let dir: string;

const write = async (name: string, content: string | Uint8Array): Promise<void> => {
  await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
  await writeFile(path.join(dir, name), content);
};
const hash = (): Promise<string> => inputsHash(dir, GRAPH);

/** A graph with one tensor, whose data lies in another file. */
function externalGraph(location: string): Uint8Array {
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const entry = concatBytes([writeField(1, text("location")), writeField(2, text(location))]);
  return writeField(7, writeField(5, writeField(13, entry)));
}

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "fovea-inputs-"));
  await write(GRAPH, externalGraph("weights.bin"));
  await write("onnx/weights.bin", "weights");
  await write("onnx/embed_tokens.onnx", writeField(7, new Uint8Array()));
  await write("onnx/decoder_model_merged.onnx", externalGraph("decoder_model_merged.onnx_data"));
  await write("onnx/decoder_model_merged.onnx_data", "weights");
  await write("tokenizer.json", "{}");
  await write("examples/examples.json", "[]");
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe("inputsHash", () => {
  it.each([
    "onnx/weights.bin",
    "onnx/decoder_model_merged.onnx_data",
    "tokenizer.json",
    "generation_config.json",
    "config.json",
    "preprocessor_config.json",
    "examples/examples.json",
    "examples/picture.jpg",
  ])("changes with %s", async (name) => {
    const before = await hash();
    expect(await hash()).toBe(before);
    await write(name, "changed");
    expect(await hash()).not.toBe(before);
  });

  it("passes by what the graphs do not name, whatever its size, and folders below the examples", async () => {
    const before = await hash();
    await write("onnx/decoder_model_merged_q4.onnx_data", "");
    await truncate(path.join(dir, "onnx/decoder_model_merged_q4.onnx_data"), 2 ** 31 + 10);
    await write("examples/originals/picture.jpg", "not named");
    expect(await hash()).toBe(before);
  });

  it("reads no file that lies elsewhere", async () => {
    await write(GRAPH, externalGraph("../../secret"));
    await expect(hash()).rejects.toThrow("not beside the graph");
  });
});
