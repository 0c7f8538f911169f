import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { int4Linear, int8Linear } from "../../bench/graphs/encoder.ts";
import { decoderGraph, embedTokensGraph, type Product } from "../../bench/graphs/decoder.ts";
import type { Backbone } from "../../functions/origin/backbones/backbone.ts";
import { openBackbone } from "../../functions/origin/backbones/open.ts";
import { findOperators, INT8_PRODUCTS } from "../../functions/origin/backbones/operators.ts";
import { handBackRows } from "../../infra/releases/onnx/hand-back-rows.ts";
import { random, request } from "./builtin.ts";
import { expectAsAlone } from "./join-and-leave.ts";

const SHAPE = {
  width: 256,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 64,
  mlp: 512,
  vocab: 160,
  positions: 512,
  ropeTheta: 1e4,
};
const CONFIG = {
  model_type: "llama",
  hidden_size: SHAPE.width,
  num_hidden_layers: SHAPE.layers,
  vocab_size: SHAPE.vocab,
};

const inProducts: Product = (onnx, numbers, x, k, n) => int4Linear(onnx, numbers, x, k, n, 4);
const perTensor: Product = (onnx, numbers, x, k, n) =>
  int8Linear(onnx, x, numbers.normal(k * n, 1 / Math.sqrt(k)), k, n);

const graphs = [
  { name: "in its products", product: inProducts, telling: INT8_PRODUCTS, published: true },
  { name: "with one scale for all rows", product: perTensor, telling: "DynamicQuantizeLinear", published: true },
  {
    name: "with one scale for all rows, as the hub has it",
    product: perTensor,
    telling: "DynamicQuantizeLinear",
    published: false,
  },
];

describe.each(graphs)("a graph that rounds activations to int8 $name", ({ product, telling, published }) => {
  let folder = "";
  let backbone: Backbone;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "fovea-int8-"));
    const [decoder, embedTokens] = ["decoder", "embed_tokens"].map((name) => path.join(folder, `${name}.onnx`)) as [
      string,
      string,
    ];
    const graph = decoderGraph(SHAPE, product);
    await writeFile(decoder, published ? ((await handBackRows(graph)) ?? new Uint8Array()) : graph);
    await writeFile(embedTokens, embedTokensGraph(SHAPE));
    expect(await findOperators(decoder)).toContain(telling);
    backbone = await openBackbone({
      provider: "cpu",
      threads: 1,
      maxSequences: 4,
      decoder,
      embedTokens,
      config: CONFIG,
      generationConfig: {},
    });
  });

  afterAll(async () => {
    await backbone.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  // Without idle rows this fails on processors where onnxruntime multiplies one row by another kernel than several.
  it("answers the same to the last bit, alone and beside others, in the first slot and in the last", async () => {
    const next = random(3);
    const requests = Array.from({ length: 15 }, (_, n) => {
      const tokenIds = Array.from({ length: 1 + Math.floor(next() * 60) }, () => 1 + Math.floor(next() * 150));
      const sampling = {
        max_tokens: 1 + Math.floor(next() * 60),
        temperature: n % 2,
        seed: n,
        logprobs: 2,
        ignore_eos: true,
      };
      return request({ id: `mixed ${n}`, tokenIds, sampling });
    });
    await expectAsAlone(backbone, requests, { seed: 4, settings: { maxSequences: 4 } });
  });

  it("gives equal sequences equal logits, each slot alone and all together", async () => {
    const kvs = Array.from({ length: 4 }, () => backbone.open(8));
    const embeds = await backbone.embed(Int32Array.of(7));
    // Slot by slot, so that the last one has no neighbour behind it.
    const alone: Float32Array[] = [];
    for (const kv of kvs) alone.push(await backbone.prefill(kv, embeds));
    const together: Float32Array[] = [];
    for (const group of backbone.groups(kvs.map((kv) => ({ kv, embeds }))))
      together.push(...(await backbone.decode(group)));
    for (const logits of alone) expect(logits).toEqual(alone[0]);
    for (const logits of together) expect(logits).toEqual(together[0]);
    for (const kv of kvs) backbone.close(kv);
  });
});
