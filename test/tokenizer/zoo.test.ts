import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ChatMessage, ChatTemplate } from "../../shared/chat-template/chat-template.ts";
import { expandImageTokens, imageTokenLayout } from "../../shared/chat-template/image-tokens/expand.ts";
import type { ImageFeatureGrid } from "../../shared/chat-template/image-tokens/layout.ts";
import { compileTokenizer } from "../../shared/tokenizer/compile/compile.ts";
import { Tokenizer } from "../../shared/tokenizer/tokenizer.ts";

/** Small models with the structure of real families, whose prompts and ids come from the classes of `transformers`. */
const ZOO = join(import.meta.dirname, "../../../shared/models/zoo");
const MODELS = "llava-mlp llava-linear llava-onevision smolvlm qwen2-vl instructblip idefics2 glm4v".split(" ");

interface Reference {
  readonly requests: readonly {
    readonly name: string;
    readonly messages: readonly ChatMessage[];
    readonly images: readonly string[];
    readonly prompt: string;
    readonly input_ids: number[];
    readonly pixel_values?: { readonly shape: readonly number[] };
    readonly image_features?: { readonly shape: readonly number[] };
    readonly image_grid_thw?: readonly (readonly number[])[];
    readonly qformer_input_ids?: number[];
  }[];
}

type Config = Readonly<Record<string, string | undefined>>;

function read(...path: string[]): unknown {
  return JSON.parse(readFileSync(join(ZOO, ...path), "utf8"));
}

function templateOf(model: string): string {
  const jinja = join(ZOO, model, "chat_template.jinja");
  if (existsSync(jinja)) return readFileSync(jinja, "utf8");
  const file = existsSync(join(ZOO, model, "chat_template.json")) ? "chat_template.json" : "tokenizer_config.json";
  return (read(model, file) as Config)["chat_template"] ?? "";
}

/** Longest side to 256, then tiles of 64: how many of them, from the size that the file's name gives (`smolvlm`). */
function tilesOf(image: string): { tileRows: number; tileColumns: number } {
  const [width = 0, height = 0] = /(\d+)x(\d+)/.exec(image)?.slice(1).map(Number) ?? [];
  let [w, h] = width >= height ? [256, Math.trunc(256 / (width / height))] : [Math.trunc(256 * (width / height)), 256];
  if (width >= height && h % 2 === 1) h++;
  if (width < height && w % 2 === 1) w++;
  return { tileRows: Math.ceil(h / 64), tileColumns: Math.ceil(w / 64) };
}

/** Feature rows of each picture, by what the image processor's result says. */
function gridsOf(model: string, request: Reference["requests"][number]): ImageFeatureGrid[] {
  if (request.image_grid_thw !== undefined) {
    return request.image_grid_thw.map(([t = 0, h = 0, w = 0]) => ({ features: (t * h * w) / 4 }));
  }
  if (model === "smolvlm") {
    return request.images.map((image) => {
      const tiles = tilesOf(image);
      return { ...tiles, features: 16 * (tiles.tileRows * tiles.tileColumns + 1) };
    });
  }
  const rows = request.image_features?.shape[0] ?? 0;
  return request.images.map(() => ({ features: rows / request.images.length }));
}

const present = existsSync(ZOO);
if (!present) console.warn("skipped: the models of shared/models/zoo are not here");

describe.skipIf(!present).each(MODELS)("%s", (model) => {
  it("renders, expands and encodes every request as transformers does", () => {
    const config = read(model, "tokenizer_config.json") as Config;
    const tokenizer = Tokenizer.load(compileTokenizer(read(model, "tokenizer.json"), config));
    const template = ChatTemplate.parse(templateOf(model), {
      bosToken: config["bos_token"],
      eosToken: config["eos_token"],
      controlTokens: tokenizer.controlTokens,
    });
    const layout = imageTokenLayout((read(model, "config.json") as Config)["model_type"] ?? "");
    if (layout === undefined) throw new Error("the family has no layout");
    const { requests } = read(model, "reference.json") as Reference;
    expect(requests.length).toBe(20);
    for (const request of requests) {
      const prompt = template.render(request.messages, { addGenerationPrompt: true });
      expect(prompt.text, request.name).toBe(request.prompt);
      const expanded = expandImageTokens(prompt, layout, gridsOf(model, request));
      expect([...tokenizer.encodePrompt(expanded)], request.name).toEqual(request.input_ids);
    }
  });
});

describe.skipIf(!present)("the second tokenizer of instructblip", () => {
  it("gives the ids of the Q-Former", () => {
    const folder = ["instructblip", "qformer_tokenizer"];
    const tokenizer = Tokenizer.load(compileTokenizer(read(...folder, "tokenizer.json")));
    const requests = (read("instructblip", "reference.json") as Reference).requests.filter((r) => r.qformer_input_ids);
    expect(requests.length).toBeGreaterThan(0);
    for (const { prompt, qformer_input_ids } of requests) {
      expect([...tokenizer.encode(prompt).ids]).toEqual((qformer_input_ids ?? []).flat());
    }
  });
});
