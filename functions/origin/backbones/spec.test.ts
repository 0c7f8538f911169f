import { describe, expect, it } from "vitest";
import type { InferenceSession } from "onnxruntime-node";
import { kvBytesPerToken, readSpec, readsWhole, type GraphFacts } from "./spec.ts";

const config = {
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 8,
  hidden_size: 32,
  vocab_size: 100,
  max_position_embeddings: 64,
  eos_token_id: 2,
};

function tensor(name: string, shape: (number | string)[], type = "float32"): InferenceSession.ValueMetadata {
  return { name, isTensor: true, type: type as "float32", shape };
}

function graph(
  change: { outputs?: string[]; operators?: string[]; layers?: number; vocab?: number; type?: string } = {},
): GraphFacts {
  const past = Array.from({ length: change.layers ?? 2 }, (_, n) =>
    ["key", "value"].map((kind) => tensor(`past_key_values.${n}.${kind}`, ["B", 2, "P", 8], change.type)),
  ).flat();
  return {
    inputs: [tensor("inputs_embeds", ["B", "S", 32]), ...past],
    outputs: [
      tensor("logits", ["B", "S", change.vocab ?? 100]),
      ...(change.outputs ?? ["present.0.key"]).map((name) => tensor(name, ["B", 2, "T", 8])),
    ],
    operators: new Set(change.operators),
  };
}

describe("readSpec", () => {
  it("tells the layouts apart by signature", () => {
    expect(readSpec(graph(), config, {}).layout).toBe("merged");
    expect(readSpec(graph({ operators: ["GroupQueryAttention"] }), config, {}).layout).toBe("gqa");
    const rows = graph({ outputs: ["new_key_values.0.key"], operators: ["GroupQueryAttention"] });
    expect(readSpec(rows, config, {}).layout).toBe("rows");
    expect(() => readSpec(graph({ outputs: [] }), config, {})).toThrow("no key/value cache");
  });

  it("takes from the release how prompts are read", () => {
    const spec = readSpec(graph(), config, {});
    expect(spec).toMatchObject({ attention: "causal", firstPosition: 0 });
    expect(readsWhole(spec)).toBe(false);
    const prefix = readSpec(graph(), config, {}, { attention: "prefix", firstPosition: 1 });
    expect(prefix).toMatchObject({ attention: "prefix", firstPosition: 1 });
    expect(readsWhole(prefix)).toBe(true);
  });

  it("reads text_config, end tokens and the image token", () => {
    const top = { text_config: config, image_token_index: 3, eos_token_id: 9 };
    const spec = readSpec(graph(), top, { eos_token_id: [2, 7] });
    expect(spec).toMatchObject({ layers: 2, kvHeads: 2, headDim: 8, eosTokenIds: [2, 7], imageTokenId: 3 });
    expect(kvBytesPerToken(spec)).toBe(2 * 2 * 2 * 8 * 4);
    expect(readSpec(graph(), top, {}).eosTokenIds).toEqual([2]);
  });

  it.each([
    ["num_hidden_layers", graph({ layers: 3 }), config],
    ["vocab_size", graph({ vocab: 101 }), config],
    ["head_dim", graph(), { ...config, head_dim: 16 }],
    ["num_key_value_heads", graph(), { ...config, num_key_value_heads: 4 }],
    ["hidden_size", graph(), { ...config, hidden_size: 64 }],
  ])("refuses a release whose %s differs between graph and config.json", (name, facts, wrong) => {
    expect(() => readSpec(facts, wrong, {})).toThrow(name);
  });

  it("takes from the graph what config.json leaves out", () => {
    const spec = readSpec(graph(), { text_config: { model_type: "opt", eos_token_id: 2 } }, {});
    expect(spec).toMatchObject({ layers: 2, kvHeads: 2, headDim: 8, hiddenSize: 32, vocabSize: 100 });
    expect(spec).toMatchObject({ maxPositions: 2048, eosTokenIds: [2], positions: "none" });
    const open = graph();
    const inputs = open.inputs.map((input) =>
      input.name === "inputs_embeds" ? tensor(input.name, ["B", "S", "H"]) : input,
    );
    expect(() => readSpec({ ...open, inputs }, config, {})).toThrow("leaves hidden_size open");
  });

  it("refuses half-precision caches and end tokens outside the vocabulary", () => {
    expect(() => readSpec(graph({ type: "bfloat16" }), config, {})).toThrow("past_key_values.0.key is bfloat16");
    expect(() => readSpec(graph({ type: "float16" }), config, {})).toThrow("is float16 and float32");
    expect(() => readSpec(graph(), config, { eos_token_id: 100 })).toThrow("outside the vocabulary");
  });

  it("marks graphs whose tokens share one scale", () => {
    expect(readSpec(graph({ operators: ["DynamicQuantizeLinear"] }), config, {}).entangled).toBe(true);
  });
});
