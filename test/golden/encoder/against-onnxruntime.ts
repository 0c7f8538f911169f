import * as ort from "onnxruntime-node";
import { encoderModule } from "../../../infra/encoder/compile-encoder.ts";
import { assemble } from "../../../shared/encoder/compile/assemble.ts";
import { cosine } from "../../../shared/encoder/compile/calibrate.ts";
import { compileGraph } from "../../../shared/encoder/compile/compile.ts";
import { LINEAR_KINDS, packWeights } from "../../../shared/encoder/compile/pack.ts";
import { parseProgram } from "../../../shared/encoder/program/program.ts";
import { Machine } from "../../../shared/encoder/program/run.ts";

export interface Compared {
  /** `image_features` f32 [rows, width] of ours. */
  readonly rows: number;
  readonly width: number;
  /** NaN where onnxruntime makes another number of them. */
  readonly cosine: number;
  /** Length of ours over length of theirs: cosine sees no factor. */
  readonly ratio: number;
}

const module = await encoderModule();
const length = (values: Float32Array): number => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));

/**
 * A graph on our runtime, products in float32, beside native onnxruntime without its optimiser. `pixels`: f32 [1, 3, side, side].
 * `sizes`: as `assemble` takes them. A string says why the compiler leaves the graph alone.
 * @throws what onnxruntime throws for a graph that is none
 */
export async function compare(
  onnx: Uint8Array,
  pixels: Float32Array,
  sizes: Parameters<typeof assemble>[3] = {},
): Promise<Compared | string> {
  const side = Math.sqrt(pixels.length / 3);
  const session = await ort.InferenceSession.create(onnx, { graphOptimizationLevel: "disabled", logSeverityLevel: 3 });
  const feeds = { pixel_values: new ort.Tensor("float32", pixels, [1, 3, side, side]) };
  const wanted = (await session.run(feeds))["image_features"]?.data as Float32Array;
  await session.release();
  const compiled = compileGraph(onnx);
  if ("unsupported" in compiled) return compiled.unsupported;
  const { program, weights } = assemble(compiled.steps, () => LINEAR_KINDS.f32, packWeights, sizes);
  const machine = new Machine(parseProgram(program), module);
  machine.weights().set(weights);
  const found = await machine.run((input) => input.set(pixels));
  const { rows, width } = machine.program.output;
  return { rows, width, cosine: cosine(found, wanted), ratio: length(found) / length(wanted) };
}
