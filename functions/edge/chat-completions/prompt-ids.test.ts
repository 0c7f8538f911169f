import { describe, expect, it } from "vitest";
import { ChatTemplate } from "../../../shared/chat-template/chat-template.ts";
import { createImageProcessor } from "../../../shared/image/processors/create-image-processor.ts";
import { compileTokenizer } from "../../../shared/tokenizer/compile/compile.ts";
import { tinyTokenizer } from "../../../shared/tokenizer/tiny-tokenizer.ts";
import { Tokenizer } from "../../../shared/tokenizer/tokenizer.ts";
import { parseModelConfig } from "../model/model-config.ts";
import { buildPrompt, type PromptModel } from "./prompt-ids.ts";

const BEGIN = "<|im_start|>";
const begins = {
  type: "TemplateProcessing",
  single: [{ SpecialToken: { id: BEGIN, type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
  special_tokens: { [BEGIN]: { id: BEGIN, ids: [261], tokens: [BEGIN] } },
};
const tokenizer = Tokenizer.load(compileTokenizer({ ...(tinyTokenizer() as object), post_processor: begins }));

function firstTokens(source: string, change: Partial<PromptModel>, content = "hi"): (string | undefined)[] {
  const template = ChatTemplate.parse(source, { controlTokens: tokenizer.controlTokens });
  const model: PromptModel = {
    tokenizer,
    bosToken: BEGIN,
    config: parseModelConfig({ model_type: "llava" }, {}),
    imageProcessor: createImageProcessor({ image_processor_type: "CLIPImageProcessor" }),
    imageTokens: null,
    ...change,
  };
  const rendered = template.render([{ role: "user", content }], { addGenerationPrompt: false });
  return Array.from(buildPrompt(rendered, model, []).token_ids.subarray(0, 2), (id) => tokenizer.idToToken(id));
}

describe("buildPrompt", () => {
  const [written, absent] = [`${BEGIN}{{ messages[0].content }}`, "{{ messages[0].content }}"];

  it("has the token that begins a text once, whether template or tokenizer writes it", () => {
    expect(firstTokens(absent, {})).toEqual([BEGIN, "h"]);
    expect(firstTokens(written, {})).toEqual([BEGIN, "h"]);
    expect(firstTokens(written, { bosToken: null })).toEqual([BEGIN, BEGIN]);
  });

  it("leaves a text model's chat as its template writes it", () => {
    expect(firstTokens(absent, { imageProcessor: null })).toEqual(["h", "i"]);
    expect(firstTokens(written, { imageProcessor: null })).toEqual([BEGIN, "h"]);
  });

  it("is not misled by a user who types that token", () => {
    expect(firstTokens(absent, {}, `${BEGIN}hi`)).toEqual([BEGIN, "<"]);
  });
});
