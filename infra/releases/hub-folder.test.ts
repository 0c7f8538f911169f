import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readPlanned } from "./file-plan.ts";
import { readHubFolder } from "./hub-folder.ts";
import { planRelease } from "./plan-release.ts";
import { tinyGraph, writeTinyFolder } from "./tiny-folder.ts";

const FILE = "preprocessor_config.json";

let directory = "";

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "fovea-folder-"));
  await writeTinyFolder(directory);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** The layout of transformers 5: the image processor inside of `processor_config.json`. */
async function writeProcessor(processor: object): Promise<void> {
  await rm(path.join(directory, FILE));
  await writeFile(path.join(directory, "processor_config.json"), JSON.stringify(processor));
}

describe("readHubFolder", () => {
  it("finds the image processor where transformers 5 keeps it, and the release has it under its own name", async () => {
    const image_processor = { image_processor_type: "CLIPImageProcessor", size: { shortest_edge: 8 } };
    await writeProcessor({ image_processor, processor_class: "LlavaProcessor", patch_size: 14 });
    const expected = { ...image_processor, processor_class: "LlavaProcessor" };
    const folder = await readHubFolder(directory);
    expect(folder.has(FILE)).toBe(true);
    expect(await folder.json(FILE)).toEqual(expected);

    const { files, stages } = await planRelease(directory);
    expect(stages.image_processor?.files).toEqual([FILE, "processor_config.json", "config.json"]);
    const planned = files.find(({ name }) => name === FILE);
    if (planned === undefined) throw new Error(`The release has no ${FILE}.`);
    const bytes = new Uint8Array(planned.size);
    await readPlanned(planned, 0, bytes);
    expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(expected);
  });

  it("makes no image processor of a file without one", async () => {
    await writeProcessor({ processor_class: "LlavaProcessor", image_processor: "CLIPImageProcessor" });
    expect((await readHubFolder(directory)).has(FILE)).toBe(false);
  });

  it.each([
    "chat_template.jinja",
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
  ])("refuses to publish %s when it is empty, by its name", async (name) => {
    await writeFile(path.join(directory, name), "");
    const planned = planRelease(directory);
    await expect(planned).rejects.toMatchObject({
      name: "HubFolderError",
      message: `${name} in ${directory} is empty`,
    });
  });

  it("names a file of settings that is no JSON", async () => {
    await writeFile(path.join(directory, "config.json"), "{");
    await expect(planRelease(directory)).rejects.toThrow(`config.json in ${directory} is no JSON`);
  });
});

describe("planRelease", () => {
  it("moves no weights to a file that another graph names", async () => {
    const [encoder, data] = ["onnx/vision_encoder.onnx", "onnx/embed_tokens.onnx_data"];
    await writeFile(path.join(directory, encoder), tinyGraph(new Uint8Array(), "embed_tokens.onnx_data"));
    await writeFile(path.join(directory, data), "its weights");
    const { files, stages } = await planRelease(directory);
    expect(stages.vision_encoder?.files).toEqual([encoder, data]);
    expect(stages.embed_tokens?.files).toEqual(["onnx/embed_tokens.onnx"]);
    expect(files.find(({ name }) => name === data)?.size).toBe("its weights".length);
  });
});
