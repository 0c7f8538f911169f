import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OnnxWriter } from "../../bench/graphs/onnx-writer.ts";
import { plannedFromSegments, readPlanned, type Segment } from "../releases/file-plan.ts";
import { withByteSource } from "../releases/onnx/byte-source.ts";
import { moveWeights } from "../releases/onnx/external-data.ts";
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
});
