import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { buildPrompt } from "../../functions/edge/chat-completions/prompt-ids.ts";
import { parseModelConfig } from "../../functions/edge/model/model-config.ts";
import { familyDefaults, findChatTemplate } from "../../infra/releases/family-defaults.ts";
import { readHubFolder } from "../../infra/releases/hub-folder.ts";
import { type ChatMessage, ChatTemplate } from "../../shared/chat-template/chat-template.ts";
import { imageTokenLayout } from "../../shared/chat-template/image-tokens/expand.ts";
import { createImageProcessor } from "../../shared/image/processors/create-image-processor.ts";
import { compileTokenizer } from "../../shared/tokenizer/compile/compile.ts";
import { Tokenizer } from "../../shared/tokenizer/tokenizer.ts";
import { FIXTURES, modelsIn, ZOO, type ZooModel } from "../zoo/models.ts";

interface Reference {
  readonly requests: readonly {
    readonly name: string;
    readonly messages: readonly ChatMessage[];
    readonly images: readonly string[];
    readonly prompt: string;
    readonly input_ids: number[];
    readonly qformer_input_ids?: number[];
  }[];
}

type Config = Readonly<Record<string, string | undefined>>;

function read({ directory }: ZooModel, ...file: string[]): unknown {
  return JSON.parse(readFileSync(path.join(directory, ...file), "utf8"));
}

/** As `fovea import` finds it. */
async function templateOf({ directory }: ZooModel, modelType: string): Promise<string> {
  const found = await findChatTemplate(await readHubFolder(directory));
  return found?.source ?? familyDefaults(modelType).chatTemplate ?? "";
}

/** A black picture of the size that the file's name gives: how many tokens it takes does not depend on more. */
function blank(image: string): { width: number; height: number; data: Uint8Array } {
  const [width = 0, height = 0] = /(\d+)x(\d+)/.exec(image)?.slice(1).map(Number) ?? [];
  return { width, height, data: new Uint8Array(3 * width * height) };
}

const others = modelsIn(ZOO);
if (others.length === 0)
  console.warn(`ABSENT: there are no reference models at ${ZOO}; the repository's own are tested.`);

describe.each([...others, ...modelsIn(FIXTURES)])("$name", (zooModel) => {
  it("renders, expands and encodes every request as transformers does", async () => {
    const names = read(zooModel, "tokenizer_config.json") as Config;
    const tokenizer = Tokenizer.load(compileTokenizer(read(zooModel, "tokenizer.json"), names));
    const file = read(zooModel, "config.json");
    const config = parseModelConfig(file, {});
    const template = ChatTemplate.parse(await templateOf(zooModel, config.modelType), {
      bosToken: names["bos_token"],
      eosToken: names["eos_token"],
      controlTokens: tokenizer.controlTokens,
    });
    const imageTokens = imageTokenLayout(config.modelType);
    if (imageTokens === undefined) throw new Error("the family has no layout");
    const processorConfig = read(zooModel, "processor_config.json");
    const imageProcessor = createImageProcessor(read(zooModel, "preprocessor_config.json"), processorConfig, file);
    const model = { tokenizer, config, imageTokens, imageProcessor, bosToken: names["bos_token"] ?? null };
    const { requests } = read(zooModel, "reference.json") as Reference;
    expect(requests.length).toBe(20);
    for (const { name, messages, images, ...request } of requests) {
      const prompt = template.render(messages, { addGenerationPrompt: true });
      expect(prompt.text, name).toBe(request.prompt);
      const processed = images.map((image) => imageProcessor.process(blank(image), { imagesInRequest: images.length }));
      expect([...buildPrompt(prompt, model, processed).token_ids], name).toEqual(request.input_ids);
    }
  });
});

const instructblip = others.find(({ name }) => name === "instructblip");

describe.skipIf(instructblip === undefined)("the second tokenizer of instructblip", () => {
  it("gives the ids of the Q-Former", () => {
    if (instructblip === undefined) throw new Error("skipped");
    const tokenizer = Tokenizer.load(compileTokenizer(read(instructblip, "qformer_tokenizer", "tokenizer.json")));
    const requests = (read(instructblip, "reference.json") as Reference).requests.filter((r) => r.qformer_input_ids);
    expect(requests.length).toBeGreaterThan(0);
    for (const { prompt, qformer_input_ids } of requests) {
      expect([...tokenizer.encode(prompt).ids]).toEqual((qformer_input_ids ?? []).flat());
    }
  });
});
