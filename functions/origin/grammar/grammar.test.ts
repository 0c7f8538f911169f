import { readFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compileTokenizer } from "../../../shared/tokenizer/compile/compile.ts";
import { Tokenizer } from "../../../shared/tokenizer/tokenizer.ts";
import { draw } from "../engine/sampling/draw.ts";
import { uniform } from "../engine/sampling/random.ts";
import type { AnswerGrammar } from "./answer-grammar.ts";
import { Grammars } from "./grammars.ts";
import { processorOf } from "./processor.testing.ts";
import { GrammarChecker } from "./grammar-checker.ts";

const folder = new URL("../../../model-artifacts/moji-vlm-9m/", import.meta.url).pathname;
const read = (name: string): unknown => JSON.parse(readFileSync(folder + name, "utf8")) as unknown;
const compiled = compileTokenizer(read("tokenizer.json"), read("tokenizer_config.json"));
const VOCAB = 2048;
const END = 2;
const schema = JSON.stringify({
  type: "object",
  properties: { name: { enum: ["dog", "cat"] }, count: { type: "integer" } },
  required: ["name", "count"],
  additionalProperties: false,
});

const json = (source: string): AnswerGrammar => ({ kind: "json_schema", source });

const directory = mkdtempSync(join(tmpdir(), "fovea-grammar-"));
const tokenizer = join(directory, "tokenizer.bin");
writeFileSync(tokenizer, compiled);
const checker = new GrammarChecker({ tokenizer, vocabSize: VOCAB, stopTokenIds: [END] });
afterAll(async () => {
  await checker.close();
  rmSync(directory, { recursive: true });
});

const caller = { tenant: "a", signal: new AbortController().signal };

describe("Grammars", () => {
  it("lets random logits write nothing but what the schema allows", async () => {
    const grammars = await Grammars.open(compiled, VOCAB, [END]);
    for (let seed = 0; seed < 5; seed++) {
      const processor = await processorOf(grammars, json(schema));
      const ids: number[] = [];
      for (let step = 0; step < 200 && ids.at(-1) !== END; step++) {
        // Short ends are likelier, or random digits would go on for long.
        const logits = Float32Array.from(
          { length: VOCAB },
          (_, id) => uniform(seed, id, step) * 4 + (id === END ? 20 : 0),
        );
        for (const id of [95, 93]) logits[id] = 6;
        await processor.prepare();
        processor.apply(logits);
        const id = draw(logits, { temperature: 0, top_k: 0, top_p: 1, min_p: 0 }, 0);
        processor.accept(id);
        ids.push(id);
      }
      processor.dispose();
      const text = Tokenizer.load(compiled).decode(ids, { skipSpecialTokens: true });
      if (ids.at(-1) === END) {
        const value = JSON.parse(text) as { name: unknown; count: unknown };
        expect(["dog", "cat"]).toContain(value.name);
        expect(Number.isInteger(value.count)).toBe(true);
      } else expect(text).toMatch(/^\{\s*"name"\s*:\s*"(?:dog|cat)"/);
    }
  });
});

describe("a grammar that is pushed out by others", () => {
  it("goes on masking the answer that follows it", async () => {
    const grammars = await Grammars.open(compiled, VOCAB, [END]);
    const processor = await processorOf(grammars, json('{"type":"boolean"}'));
    for (let i = 0; i < 40; i++) await grammars.compile(json(JSON.stringify({ enum: [`word ${i}`] })));
    const logits = new Float32Array(VOCAB);
    await processor.prepare();
    processor.apply(logits);
    const allowed = [...logits.keys()].filter((id) => logits[id] === 0);
    const tokenizer = Tokenizer.load(compiled);
    expect(allowed.length).toBeGreaterThan(0);
    for (const id of allowed)
      expect(["true", "false"].some((word) => word.startsWith(tokenizer.decode([id])))).toBe(true);
    processor.dispose();
  });
});

describe("GrammarChecker", () => {
  it("starts no thread once it is closed, and ends one that is starting", async () => {
    const closed = new GrammarChecker({ tokenizer, vocabSize: VOCAB, stopTokenIds: [END] });
    const checking = closed.check(json(schema), caller);
    await new Promise((resolve) => setImmediate(resolve));
    await closed.close();
    await expect(checking).rejects.toMatchObject({ code: "release_unavailable" });
    await expect(closed.check(json(schema), caller)).rejects.toMatchObject({ code: "release_unavailable" });
  });

  it("takes a schema, refuses what is none, and takes the next one", async () => {
    await expect(checker.check(json(schema), caller)).resolves.toBeUndefined();
    await expect(checker.check(json("not json"), caller)).rejects.toMatchObject({ code: "invalid_request" });
    await expect(checker.check(json('{"type":"nonsense"}'), caller)).rejects.toMatchObject({
      param: "response_format",
    });
    await expect(checker.check(json('{"type":"integer"}'), caller)).resolves.toBeUndefined();
  });

  it.each([
    ['{"$ref":"#"}', "No answer"],
    ['{"not":{}}', "keyword not"],
    ["{", "not valid"],
  ])("says why it refuses %s", async (source, reason) => {
    await expect(checker.check(json(source), caller)).rejects.toMatchObject({
      code: "invalid_request",
      message: expect.stringContaining(reason) as string,
    });
  });

  it("remembers what it refused, when its thread is gone, too", async () => {
    const once = new GrammarChecker({ tokenizer, vocabSize: VOCAB, stopTokenIds: [END] });
    await expect(once.check(json("not json"), caller)).rejects.toMatchObject({ code: "invalid_request" });
    await once.close();
    await expect(once.check(json("not json"), caller)).rejects.toMatchObject({ code: "invalid_request" });
  });

  it("checks for a tenant before the second of another's, and one grammar once for all who ask", async () => {
    const done: string[] = [];
    const check = async (tenant: string, name: string, signal = caller.signal): Promise<void> => {
      await checker.check(json(JSON.stringify({ enum: [name] })), { tenant, signal });
      done.push(`${tenant} ${name}`);
    };
    const leaving = new AbortController();
    const all = ["1", "2", "3"].map((name) => check("many", name));
    const more = Array.from({ length: 12 }, () => check("many", "3"));
    const left = check("many", "4", leaving.signal);
    all.push(check("one", "5"));
    leaving.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    await Promise.all([...all, ...more]);
    expect(done.slice(0, 3)).toEqual(["many 1", "one 5", "many 2"]);
    expect(done).toHaveLength(16);
  });
});
