import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compileTokenizer } from "../../../shared/tokenizer/compile/compile.ts";
import { Tokenizer } from "../../../shared/tokenizer/tokenizer.ts";
import { glm } from "../../../shared/tool-calls/formats/glm.ts";
import { TOOL_CALL_FORMATS } from "../../../shared/tool-calls/formats/index.ts";
import { qwenXml } from "../../../shared/tool-calls/formats/qwen-xml.ts";
import { parse } from "../../../shared/tool-calls/parse.testing.ts";
import { callGrammar, type CallGrammarOptions } from "../../../shared/tool-calls/structural-tag.ts";
import type { FunctionTool } from "../../../shared/tool-calls/tool-call.ts";
import type { ToolCallFormat } from "../../../shared/tool-calls/tool-call-format.ts";
import { draw } from "../engine/sampling/draw.ts";
import { uniform } from "../engine/sampling/random.ts";
import { Grammars } from "./grammars.ts";
import { processorOf } from "./processor.testing.ts";

const folder = new URL("../../../model-artifacts/moji-vlm-9m/", import.meta.url).pathname;
const read = (name: string): unknown => JSON.parse(readFileSync(folder + name, "utf8")) as unknown;
const compiled = compileTokenizer(read("tokenizer.json"), read("tokenizer_config.json"));
const tokenizer = Tokenizer.load(compiled);
const VOCAB = 2048;
const END = 2;
/** How much likelier ids are that end a string, a call or the answer. */
const CLOSING = Float32Array.from({ length: VOCAB }, (_, id) =>
  id === END ? 5 : /^["}\]<]/.test(tokenizer.decode([id])) ? 3 : 0,
);
const grammars = await Grammars.open(compiled, VOCAB, [END]);

const paint: FunctionTool = {
  name: "paint",
  parameters: {
    type: "object",
    properties: { color: { type: "string", enum: ["red", "blue"] }, count: { type: "integer" } },
    required: ["color"],
    additionalProperties: false,
  },
  strict: true,
};
const wait: FunctionTool = { name: "wait", parameters: { type: "object", properties: {} }, strict: true };

/** Random text that a grammar allows; the ends of calls and answers are likelier than anything else. */
async function write(grammar: string, seed: number): Promise<string> {
  const processor = await processorOf(grammars, { kind: "structural_tag", source: grammar });
  const ids: number[] = [];
  for (let step = 0; step < 400 && ids.at(-1) !== END; step++) {
    const logits = CLOSING.map((closing, id) => uniform(seed, id, step) * 4 + closing);
    await processor.prepare();
    processor.apply(logits);
    const id = draw(logits, { temperature: 0, top_k: 0, top_p: 1, min_p: 0 }, 0);
    processor.accept(id);
    ids.push(id);
  }
  processor.dispose();
  return tokenizer.decode(ids, { skipSpecialTokens: true });
}

async function answers(format: ToolCallFormat, tools: readonly FunctionTool[], options: CallGrammarOptions) {
  const grammar = callGrammar(format, tools, options);
  const texts = await Promise.all(Array.from({ length: 5 }, (_, seed) => write(grammar, seed)));
  return texts.map((text) => ({ text, ...parse(format, [paint, wait], text) }));
}

function follows(call: { readonly name: string; readonly arguments: string }): void {
  const value = JSON.parse(call.arguments) as Record<string, unknown>;
  if (call.name === "wait") expect(value).toEqual({});
  else {
    expect(["red", "blue"]).toContain(value["color"]);
    expect(Object.keys(value).every((key) => ["color", "count"].includes(key))).toBe(true);
    if ("count" in value) expect(Number.isInteger(value["count"])).toBe(true);
  }
}

describe.each(TOOL_CALL_FORMATS)("random answers under the grammar of $name", (format) => {
  it("are calls that read back, when calls are required", async () => {
    const all = await answers(format, [paint, wait], { mode: "required", parallel: true });
    expect(new Set(all.flatMap(({ calls }) => calls.map(({ name }) => name)))).toEqual(new Set(["paint", "wait"]));
    for (const { text, content, calls } of all) {
      expect(content, text).toBe("");
      expect(calls.length).toBeGreaterThan(0);
      for (const call of calls.filter(({ complete }) => complete)) follows(call);
      expect(calls.slice(0, -1).every(({ complete }) => complete)).toBe(true);
    }
  });

  it("are one call of the one function, when it is named", async () => {
    for (const { text, content, calls } of await answers(format, [paint], { mode: "required", parallel: false })) {
      expect([content, calls.map(({ name, complete }) => [name, complete])], text).toEqual(["", [["paint", true]]]);
      for (const call of calls) follows(call);
    }
  });

  it("are free text, or calls of what may be called", async () => {
    for (const { calls } of await answers(format, [wait], { mode: "auto", parallel: true })) {
      for (const { name } of calls) expect(name).toBe("wait");
    }
  });

  it("are JSON of the schema or a call, when both are asked for", async () => {
    const schema = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] };
    for (const { content, calls, text } of await answers(format, [paint], { mode: "auto", parallel: true, schema })) {
      if (calls.length === 0) expect(JSON.parse(content), text).toEqual({ ok: expect.any(Boolean) as boolean });
      else expect(calls.map(({ name }) => name)).toEqual(["paint"]);
    }
  });
});

/** A strict function with one argument `k` of this schema. */
function withArgument(k: unknown): FunctionTool {
  const $defs = { units: { enum: ["m", "km"] } };
  return { name: "f", parameters: { type: "object", properties: { k }, required: ["k"], $defs }, strict: true };
}

describe.each([qwenXml, glm])("values between the words of $name", (format) => {
  it.each([
    [{ type: "string", const: "x" }, ["x"]],
    [{ const: "x y" }, ["x y"]],
    [{ const: 7 }, [7]],
    [{ type: "string", enum: ["a", "", 1] }, ["a", ""]],
    [{ enum: ["1", "2"] }, ["1", "2"]],
    [{ enum: ["1", 2, null] }, ["1", 2, null]],
    [{ type: ["string", "null"], enum: ["a", "b", null], const: "b" }, ["b"]],
    [{ anyOf: [{ const: "a" }, { enum: ["b", "c"] }] }, ["a", "b", "c"]],
    [{ allOf: [{ enum: ["a", "b"] }, { type: "string" }, { enum: ["b", "c"] }] }, ["b"]],
    [{ $ref: "#/$defs/units" }, ["m", "km"]],
  ])("of %j are of %j", async (schema, values) => {
    const tool = withArgument(schema);
    for (let seed = 0; seed < 4; seed++) {
      const text = await write(callGrammar(format, [tool], { mode: "required", parallel: false }), seed);
      const { k } = JSON.parse(parse(format, [tool], text).calls[0]?.arguments ?? "") as { k: unknown };
      expect(values, text).toContainEqual(k);
    }
  });
});

// The last ones: the library aborts on them.
it.each([qwenXml, glm])("a schema that lists no value is refused between the words of $name", async (format) => {
  for (const schema of [{ type: "string", enum: [] }, { enum: [] }]) {
    const grammar = callGrammar(format, [withArgument(schema)], { mode: "required", parallel: false });
    await expect(write(grammar, 0)).rejects.toThrow();
  }
});
