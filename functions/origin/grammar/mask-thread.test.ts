import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compileTokenizer } from "../../../shared/tokenizer/compile/compile.ts";
import type { AnswerGrammar } from "./answer-grammar.ts";
import { Grammars } from "./grammars.ts";
import { processorOf } from "./processor.testing.ts";
import { MaskThread } from "./mask-thread.ts";
import type { GrammarProcessor } from "./processor.ts";

const folder = new URL("../../../model-artifacts/moji-vlm-9m/", import.meta.url).pathname;
const read = (name: string): unknown => JSON.parse(readFileSync(folder + name, "utf8")) as unknown;
const compiled = compileTokenizer(read("tokenizer.json"), read("tokenizer_config.json"));
const VOCAB = 2048;
const END = 2;
const directory = mkdtempSync(join(tmpdir(), "fovea-masks-"));
const tokenizer = join(directory, "tokenizer.bin");
writeFileSync(tokenizer, compiled);
afterAll(() => rmSync(directory, { recursive: true }));

const json = (schema: unknown): AnswerGrammar => ({ kind: "json_schema", source: JSON.stringify(schema) });

/** The ids that an answer may go on with, step by step, when the last of them is chosen each time. */
async function walk(processor: GrammarProcessor): Promise<number[][]> {
  const steps: number[][] = [];
  for (let step = 0; step < 40; step++) {
    const logits = new Float32Array(VOCAB);
    await processor.prepare();
    processor.apply(logits);
    const allowed = [...logits.keys()].filter((id) => logits[id] === 0);
    steps.push(allowed);
    const chosen = allowed.at(-1);
    if (chosen === undefined || allowed.length === VOCAB) break;
    processor.accept(allowed.includes(END) ? END : chosen);
  }
  processor.dispose();
  return steps;
}

describe("MaskThread", () => {
  const data = { tokenizer, vocabSize: VOCAB, stopTokenIds: [END] };

  it("masks as the library does in this thread, for several answers at once", async () => {
    const grammars = await Grammars.open(compiled, VOCAB, [END]);
    const thread = new MaskThread(data);
    const schemas = [{ type: "integer" }, { enum: ["dog", "cat"] }, { type: "array", items: { type: "boolean" } }];
    const here = await Promise.all(schemas.map(async (schema) => walk(await processorOf(grammars, json(schema)))));
    const there = await Promise.all(schemas.map(async (schema) => walk(await thread.open(json(schema)))));
    expect(there).toEqual(here);
    expect(here.map((steps) => steps.length).every((length) => length > 1)).toBe(true);
  });

  it("ends with the grammar that breaks the library, and starts again for the next", async () => {
    const thread = new MaskThread(data);
    const neighbour = await thread.open(json({ type: "boolean" }));
    await expect(thread.open(json({ type: "nonsense" }))).rejects.toThrow();
    await expect.poll(() => thread.running).toBe(false);
    neighbour.accept(0);
    await expect(neighbour.prepare()).rejects.toThrow("ended");
    await expect(walk(await thread.open(json({ type: "boolean" })))).resolves.toBeDefined();
  });
});
