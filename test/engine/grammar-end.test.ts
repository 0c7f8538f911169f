import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Grammars } from "../../functions/origin/grammar/grammars.ts";
import { processorOf } from "../../functions/origin/grammar/processor.testing.ts";
import type { Sampling } from "../../shared/frame/schema.ts";
import { compileTokenizer } from "../../shared/tokenizer/compile/compile.ts";
import { Tokenizer } from "../../shared/tokenizer/tokenizer.ts";
import { harness, request } from "./builtin.ts";
import { fakeBackbone } from "./fake-backbone.ts";

const folder = new URL("../../model-artifacts/moji-vlm-9m/", import.meta.url);
const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, folder), "utf8")) as unknown;
const compiled = compileTokenizer(read("tokenizer.json"), read("tokenizer_config.json"));
const backbone = fakeBackbone({ vocabSize: 2048 });

async function ask(sampling: Partial<Sampling>): Promise<{ text: string; last: string | undefined }> {
  const { vocabSize, eosTokenIds } = backbone.spec;
  const grammars = await Grammars.open(compiled, vocabSize, eosTokenIds);
  const { engine, outcome, drain } = harness(backbone);
  const one = request({ tokenIds: [1, 8, 9], sampling: { max_tokens: 40, ...sampling } });
  engine.submit(one, [await processorOf(grammars, { kind: "json_schema", source: '{"type":"boolean"}' })]);
  await drain();
  const { choices, transcript } = outcome(one.id);
  return { text: Tokenizer.load(compiled).decode(choices[0] ?? []), last: transcript.at(-2) };
}

describe("an answer whose grammar has come to its end", () => {
  it.each<[string, Partial<Sampling>]>([
    ["nothing else asked for", {}],
    ["ignore_eos", { ignore_eos: true }],
    ["min_tokens beyond it", { min_tokens: 20 }],
    ["both", { ignore_eos: true, min_tokens: 20 }],
  ])("ends there, with %s", async (_name, sampling) => {
    const { text, last } = await ask(sampling);
    expect(text).toMatch(/^(?:true|false)$/);
    expect(last).toContain('"reason":"stop","stopTokenId":2');
  });
});
