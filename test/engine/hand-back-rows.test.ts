import { readFile } from "node:fs/promises";
import path from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { decoderGraph } from "../../bench/graphs/decoder.ts";
import { floats } from "../../functions/origin/backbones/tensors.ts";
import { memoryByteSource } from "../../infra/releases/onnx/byte-source.ts";
import { GRAPH_NODE, GRAPH_OUTPUT, graphField, MODEL_GRAPH } from "../../infra/releases/onnx/graph-io.ts";
import { handBackRows } from "../../infra/releases/onnx/hand-back-rows.ts";
import { concatBytes, readFields, writeField } from "../../infra/releases/onnx/wire.ts";
import { readNode, writeNode, writeValueInfo } from "../../infra/releases/onnx/write-graph.ts";
import { random } from "./builtin.ts";
import { withHalfCache } from "./half-cache.ts";

const layout = (name: string) => readFile(path.join(import.meta.dirname, "layouts", `${name}.onnx`));

/** Around a head behind a norm, rotary embedding inside of the attention, and one product for q, k and v: as the hub's `_q4` files. */
const SHAPE = {
  width: 64,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  mlp: 128,
  vocab: 96,
  positions: 256,
  ropeTheta: 1e4,
};

const GRAPHS = {
  "a head behind a norm": () => Promise.resolve(decoderGraph(SHAPE)),
  "a norm that is written out": () => layout("gqa"),
};

/** Places of the past, more than any sequence holds. */
const ROOM = 24;

/** `width` new positions behind what each sequence holds, padded on the right. */
function feedsOf({ inputMetadata }: InferenceSession, held: readonly number[], width: number): Record<string, Tensor> {
  const next = random(7);
  const filled = (dims: readonly number[]): Tensor => {
    const values = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => next() - 0.5);
    return new Tensor("float32", values, dims);
  };
  const integers = (rows: readonly (readonly number[])[]): Tensor =>
    new Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0]?.length ?? 0]);
  const total = Math.max(...held) + width;
  const feeds: Record<string, Tensor> = {
    attention_mask: integers(held.map((count) => Array.from({ length: total }, (_, i) => Number(i < count + width)))),
    position_ids: integers(held.map((count) => Array.from({ length: width }, (_, i) => count + i))),
  };
  for (const value of inputMetadata) {
    if (!value.isTensor || value.type !== "float32") continue;
    const [, heads, , last] = value.shape;
    const dims =
      value.name === "inputs_embeds"
        ? [held.length, width, Number(value.shape[2])]
        : [held.length, Number(heads), ROOM, Number(last)];
    feeds[value.name] = filled(dims);
  }
  return feeds;
}

/** Rows `first` .. `first + width` of every head of one sequence, from `[B, heads, T, D]`. */
function rowsOf(cache: Tensor | undefined, sequence: number, first: number, width: number): number[] {
  const [, heads = 0, length = 0, size = 0] = cache?.dims ?? [];
  const values = cache?.data as Float32Array;
  return Array.from({ length: heads }, (_, head) => {
    const at = ((sequence * heads + head) * length + first) * size;
    return Array.from(values.subarray(at, at + width * size));
  }).flat();
}

/** The model with more fields at the end of its graph. */
async function withFields(model: Uint8Array, more: readonly Uint8Array[]): Promise<Uint8Array> {
  const source = memoryByteSource(model);
  const { start, payload, end } = await graphField(source);
  const graph = writeField(MODEL_GRAPH, concatBytes([model.subarray(payload, end), ...more]));
  return concatBytes([model.subarray(0, start), graph, model.subarray(end)]);
}

/** What the model's last node reads, that of the logits. */
async function behindLogits(model: Uint8Array): Promise<string> {
  const source = memoryByteSource(model);
  const { payload, end } = await graphField(source);
  const fields = (await readFields(source, payload, end)).filter(({ number }) => number === GRAPH_NODE);
  const nodes = await Promise.all(fields.map((field) => readNode(source, field)));
  return nodes.find(({ outputs }) => outputs.includes("logits"))?.inputs[0] ?? "";
}

const output = (name: string): Uint8Array =>
  writeValueInfo(GRAPH_OUTPUT, { name, dtype: "float32", shape: ["batch_size", "sequence_length", SHAPE.vocab] });

describe.each(Object.entries(GRAPHS))("%s", (_, graph) => {
  it.each([
    ["a prompt", [0], 5],
    ["the next part of a prompt", [9], 4],
    ["one step of sequences of unlike length", [3, 11, 7], 1],
  ])("gives the logits of the whole graph, and its new rows to the bit: %s", async (_name, held, width) => {
    const model = await graph();
    const rewritten = await handBackRows(model);
    if (rewritten === null) throw new Error("the graph was left as it is");
    const [before, after] = [await InferenceSession.create(model), await InferenceSession.create(rewritten)];
    const names = before.outputNames.filter((name) => name !== "logits");
    expect(new Set(after.outputNames)).toEqual(new Set(["logits", ...names.map(newName)]));
    expect(after.inputNames).toEqual([...before.inputNames, "logits_index"]);
    const feeds = feedsOf(before, held, width);
    const whole = await before.run(feeds);
    const index = held.map((_count, n) => (n + width) % width);
    const found = await after.run({ ...feeds, logits_index: new Tensor("int64", BigInt64Array.from(index, BigInt)) });
    const vocab = whole["logits"]?.dims[2] ?? 0;
    expect(found["logits"]?.dims).toEqual([held.length, vocab]);
    for (const [n, count] of held.entries()) {
      const at = (n * width + (index[n] ?? 0)) * vocab;
      const row = floats(whole, "logits").subarray(at, at + vocab);
      // The head multiplies fewer rows, which onnxruntime sums in another order.
      for (const [i, value] of row.entries()) expect(found["logits"]?.data[n * vocab + i]).toBeCloseTo(value, 5);
      for (const name of names)
        expect(rowsOf(found[newName(name)], n, 0, width)).toEqual(rowsOf(whole[name], n, count, width));
    }
    await Promise.all([before.release(), after.release()]);
  });
});

describe("handBackRows", () => {
  it("leaves every other graph as it is", async () => {
    for (const name of ["merged", "rows", "embed_tokens"]) expect(await handBackRows(await layout(name))).toBeNull();
    // Its cache passes through casts on the way out.
    expect(await handBackRows(await withHalfCache(await layout("gqa")))).toBeNull();
  });

  it("leaves a graph as it is in which something reads the logits of all positions", async () => {
    const model = decoderGraph(SHAPE);
    const reader = writeNode("Identity", ["logits"], "scores");
    expect(await handBackRows(await withFields(model, [reader, output("scores")]))).toBeNull();
    // A branch reads names of the graph around it.
    const branch = writeField(GRAPH_NODE, writeField(5, writeField(6, reader)));
    expect(await handBackRows(await withFields(model, [branch]))).toBeNull();
  });

  it("keeps all positions of what another output has of the head", async () => {
    const plain = decoderGraph(SHAPE);
    const behind = await behindLogits(plain);
    const model = await withFields(plain, [output(behind)]);
    const [before, after] = await Promise.all(
      [model, (await handBackRows(model)) ?? model].map((bytes) => InferenceSession.create(bytes)),
    );
    if (before === undefined || after === undefined) throw new Error("no session");
    const feeds = feedsOf(before, [9], 2);
    const whole = await before.run(feeds);
    const found = await after.run({ ...feeds, logits_index: new Tensor("int64", BigInt64Array.of(1n), [1]) });
    expect(found["logits"]?.dims).toEqual([1, SHAPE.vocab]);
    expect(found[behind]?.dims).toEqual([1, 2, SHAPE.vocab]);
    expect(found[behind]?.data).toEqual(whole[behind]?.data);
    await Promise.all([before.release(), after.release()]);
  });

  it(
    "comes to an end with a graph whose logits lead in a circle, which no runtime loads",
    { timeout: 5_000 },
    async () => {
      // Of two nodes that make one name the later is believed: the logits come from themselves.
      const circle = [writeNode("Identity", ["round"], "logits"), writeNode("Identity", ["logits"], "round")];
      const model = await withFields(await layout("gqa"), circle);
      const rewritten = await handBackRows(model);
      await expect(InferenceSession.create(rewritten ?? model)).rejects.toThrow(/./);
    },
  );

  it("refuses what is no graph", async () => {
    const gqa = await layout("gqa");
    await expect(handBackRows(new Uint8Array(20).fill(0xff))).rejects.toThrow("a number");
    await expect(handBackRows(gqa.subarray(0, gqa.length - 9))).rejects.toThrow("beyond");
  });
});

function newName(present: string): string {
  return present.replace("present", "new_key_values");
}
