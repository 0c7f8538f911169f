import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OnnxWriter } from "../../bench/graphs/onnx-writer.ts";
import { plannedFromSegments, readPlanned, type Segment } from "../releases/file-plan.ts";
import { memoryByteSource, withByteSource } from "../releases/onnx/byte-source.ts";
import { moveWeights } from "../releases/onnx/external-data.ts";
import { GRAPH_INITIALIZER, GRAPH_NODE, graphField, MODEL_GRAPH } from "../releases/onnx/graph-io.ts";
import { concatBytes, writeField, writeVarintField } from "../releases/onnx/wire.ts";
import { writeNode } from "../releases/onnx/write-graph.ts";
import { compileEncoder } from "./compile-encoder.ts";

const SIDE = 64;
let onnx: string;
let graph: string;

beforeEach(async () => {
  onnx = path.join(await mkdtemp(path.join(tmpdir(), "fovea-compile-")), "onnx");
  graph = path.join(onnx, "vision_encoder.onnx");
  await mkdir(onnx);
});
afterEach(() => rm(path.dirname(onnx), { recursive: true, force: true }));

/** Patches of 16 pixels, and nothing behind them. */
function patches(side = SIDE): Uint8Array {
  const writer = new OnnxWriter();
  const kernel = writer.constant(
    Float32Array.from({ length: 16 * 768 }, (_, i) => Math.sin(i)),
    [16, 3, 16, 16],
  );
  const rows = writer.node("Conv", ["pixel_values", kernel], { kernel_shape: [16, 16], strides: [16, 16] });
  const flat = writer.node("Reshape", [rows, writer.ints(1, 16, -1)]);
  return writer.finish(writer.node("Transpose", [flat], { perm: [0, 2, 1] }), [1, 3, side, side], [1, "rows", 16]);
}

/** The model with more fields at the end of its graph. */
async function withFields(model: Uint8Array, ...more: readonly Uint8Array[]): Promise<Uint8Array> {
  const { start, payload, end } = await graphField(memoryByteSource(model));
  const graph = writeField(MODEL_GRAPH, concatBytes([model.subarray(payload, end), ...more]));
  return concatBytes([model.subarray(0, start), graph, model.subarray(end)]);
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Two numbers of a data type that encoders do not have: 5 int16, 16 bfloat16. */
function tensor(dataType: number): Uint8Array {
  const type = [writeVarintField(1, 2n), writeVarintField(2, BigInt(dataType))];
  return writeField(
    GRAPH_INITIALIZER,
    concatBytes([...type, writeField(8, text("odd")), writeField(9, new Uint8Array(4))]),
  );
}

const externalTensor = writeField(
  GRAPH_INITIALIZER,
  writeField(13, concatBytes([writeField(1, text("location")), writeField(2, text("weights.bin"))])),
);

/** Why onnxruntime-web is to run it; that the folder has no pictures, when all else was well. */
async function reason(): Promise<string> {
  const { choice } = await compileEncoder(path.dirname(onnx));
  expect(choice.runtime).toBe("onnxruntime-web");
  return choice.reason;
}

describe("compileEncoder", () => {
  it("reads the external data that the graph names, whatever its name, and no other graph's", async () => {
    await writeFile(graph, patches());
    const moved = await withByteSource(graph, (source) => moveWeights(source, graph, "weights.bin"));
    if (moved === null) throw new Error("nothing was moved");
    const write = async (name: string, segments: readonly Segment[]): Promise<Uint8Array> => {
      const planned = plannedFromSegments(name, segments);
      const bytes = new Uint8Array(planned.size);
      await readPlanned(planned, 0, bytes);
      return bytes;
    };
    const [small, weights] = [await write("graph", moved.graph), await write("weights", moved.data)];
    await writeFile(graph, small);
    await writeFile(path.join(onnx, "weights.bin"), weights);
    const others = path.join(onnx, "decoder_model_merged.onnx_data");
    await writeFile(others, "");
    await truncate(others, 2 ** 31 + 10);
    expect(await reason()).toMatch(/no example pictures/);
  });

  it.each([5, 16])(
    "passes by a tensor of data type %i that nothing reads, and names one that is read",
    async (type) => {
      await writeFile(graph, await withFields(patches(), tensor(type)));
      expect(await reason()).toMatch(/no example pictures/);
      await writeFile(graph, await withFields(patches(), tensor(type), writeNode("Cast", ["odd"], "even", { to: 1 })));
      expect(await reason()).toMatch(`left the graph alone: Tensor odd has data type ${type}`);
    },
  );

  it("says that a graph has control flow", async () => {
    const branch = writeField(
      GRAPH_NODE,
      concatBytes([writeField(4, text("If")), writeField(5, writeField(6, text("")))]),
    );
    await writeFile(graph, await withFields(patches(), branch));
    expect(await reason()).toMatch("left the graph alone: The graph has control flow");
  });

  it("says that a program would not fit, or that a graph is too large to be read", async () => {
    // The picture alone takes more than a program may.
    await writeFile(graph, patches(4096));
    expect(await reason()).toMatch(/left the graph alone: .*(?:arenaBytes|memory)/);
    await writeFile(graph, await withFields(patches(), externalTensor));
    await writeFile(path.join(onnx, "weights.bin"), "");
    await truncate(path.join(onnx, "weights.bin"), 2 ** 31 + 10);
    expect(await reason()).toMatch("bytes with its weights");
  });
});
