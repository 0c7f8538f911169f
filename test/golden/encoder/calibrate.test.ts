import * as ort from "onnxruntime-node";
import { expect, it } from "vitest";
import { OnnxWriter } from "../../../bench/graphs/onnx-writer.ts";
import { Random } from "../../../bench/graphs/random.ts";
import { encoderModule } from "../../../infra/encoder/compile-encoder.ts";
import { calibrate } from "../../../shared/encoder/compile/calibrate.ts";
import { compileGraph } from "../../../shared/encoder/compile/compile.ts";

it("keeps both biases of two products that share their weights", async () => {
  const onnx = new OnnxWriter();
  const random = new Random(9);
  const constant = (dims: readonly number[], deviation: number): string =>
    onnx.constant(random.normal(dims.reduce((a, b) => a * b, 1), deviation), dims);
  const patches = onnx.node("Conv", ["pixel_values", constant([16, 3, 4, 4], 0.2)], { strides: [4, 4] });
  const rows = onnx.node("Transpose", [onnx.node("Reshape", [patches, onnx.ints(1, 16, -1)])], { perm: [0, 2, 1] });
  const weight = constant([16, 16], 0.25);
  const layer = (x: string): string => onnx.node("Add", [onnx.node("MatMul", [x, weight]), constant([16], 2)]);
  const bytes = onnx.finish(layer(onnx.node("Relu", [layer(rows)])), [1, 3, 16, 16], [1, 16, 16]);

  const pixels = random.normal(3 * 16 * 16, 1);
  const session = await ort.InferenceSession.create(bytes);
  const feeds = { pixel_values: new ort.Tensor("float32", pixels, [1, 3, 16, 16]) };
  const wanted = (await session.run(feeds))["image_features"]?.data as Float32Array;
  await session.release();
  const compiled = compileGraph(bytes);
  if ("unsupported" in compiled) throw new Error(compiled.unsupported);
  const picture = { tiles: [pixels], image_features: wanted };
  const { cosines, layers } = await calibrate(compiled.steps, [picture], await encoderModule());
  expect(cosines[0]).toBeGreaterThan(0.9999);
  expect(layers.map(({ kind }) => kind)).toEqual(["i8_u7", "i8_u7", "i8_u7"]);
});
