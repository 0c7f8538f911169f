import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { openBackbone } from "../../functions/origin/backbones/open.ts";
import { warmUp } from "../../functions/origin/engine/warm-up.ts";
import type { PromptReading } from "../../shared/releases/release.ts";
import { FIXTURES } from "../zoo/models.ts";
import { harness, request } from "./builtin.ts";

const PREFIX: PromptReading = { attention: "prefix", firstPosition: 1 };

/** The backbone of a model of the zoo. */
function open(name: string, prompt?: PromptReading) {
  const folder = path.join(FIXTURES, name);
  const config: unknown = JSON.parse(readFileSync(path.join(folder, "config.json"), "utf8"));
  return openBackbone({
    provider: "cpu",
    threads: 1,
    maxSequences: 4,
    decoder: path.join(folder, "onnx/decoder_model_merged.onnx"),
    embedTokens: path.join(folder, "onnx/embed_tokens.onnx"),
    config,
    generationConfig: {},
    prompt,
  });
}

const prompts = [64, 90].map((length) => Array.from({ length }, (_, i) => 100 + ((i * 37) % 400)));

describe("prefix attention", () => {
  it("runs prompts whole whatever the chunks, and reuses none of them", async () => {
    const backbone = await open("paligemma", PREFIX);
    const answers = [];
    for (const maxChunkTokens of [512, 16]) {
      const { engine, outcome, drain } = harness(backbone, { maxChunkTokens });
      for (const round of ["first", "again"]) {
        for (const [n, tokenIds] of prompts.entries()) engine.submit(request({ id: `${round} ${n}`, tokenIds }));
        await drain();
      }
      for (const id of ["again 0", "again 1"]) expect(outcome(id)).toMatchObject({ end: "end", cachedTokens: 0 });
      answers.push(["first 0", "first 1", "again 0", "again 1"].map((id) => outcome(id).choices[0]));
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[0]?.[0]).toHaveLength(32);
    expect(answers[0]?.slice(2)).toEqual(answers[0]?.slice(0, 2));
    await backbone.dispose();
  });

  it("gives each of several answers the prompt that all share", async () => {
    const backbone = await open("paligemma", PREFIX);
    const { engine, outcome, drain } = harness(backbone);
    engine.submit(request({ id: "two", tokenIds: prompts[0] ?? [], sampling: { n: 2 } }));
    await drain();
    const [one, other] = outcome("two").choices;
    expect(one).toHaveLength(32);
    expect(other).toEqual(one);
    await backbone.dispose();
  });

  it.each([
    ["paligemma", PREFIX, null],
    ["llava-next", undefined, null],
    ["paligemma", undefined, "says causal attention over prompts, the backbone's graph has prefix"],
    ["llava-next", PREFIX, "says prefix attention over prompts, the backbone's graph has causal"],
  ] as const)("is what the release says: %s, %o", async (name, prompt, refusal) => {
    const backbone = await open(name, prompt);
    if (refusal === null) await expect(warmUp(backbone)).resolves.toBeUndefined();
    else await expect(warmUp(backbone)).rejects.toThrow(refusal);
    await backbone.dispose();
  });
});
