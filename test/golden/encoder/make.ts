import { writeFile } from "node:fs/promises";
import path from "node:path";
import * as ort from "onnxruntime-node";
import { assemble } from "../../../shared/encoder/compile/assemble.ts";
import { compileGraph } from "../../../shared/encoder/compile/compile.ts";
import { LINEAR_KINDS } from "../../../shared/encoder/compile/pack.ts";
import { parseProgram } from "../../../shared/encoder/program/program.ts";
import { Machine } from "../../../shared/encoder/program/run.ts";
import { encoderModule } from "../../../infra/encoder/compile-encoder.ts";
import { GRAPHS, picture } from "./graphs.ts";

/**
 * Makes <graph>.json beside it: the graph, what native onnxruntime makes of a picture, and the hash of what our runtime
 * makes of it. Run after a change that is meant to change bits, with KERNELS_VERSION raised: node test/golden/encoder/make.ts
 */
for (const [name, { onnx, side }] of Object.entries(GRAPHS)) {
  const bytes = onnx();
  const session = await ort.InferenceSession.create(bytes);
  const pixels = picture(side);
  const feeds = { pixel_values: new ort.Tensor("float32", pixels, [1, 3, side, side]) };
  const reference = (await session.run(feeds))["image_features"]?.data as Float32Array;
  const compiled = compileGraph(bytes);
  if ("unsupported" in compiled) throw new Error(`${name}: ${compiled.unsupported}`);
  const sha256: Record<string, string> = {};
  for (const [kind, number] of Object.entries(LINEAR_KINDS)) {
    const { program, weights } = assemble(compiled.steps, () => number);
    const machine = new Machine(parseProgram(program), await encoderModule());
    machine.weights().set(weights);
    const features = await machine.run((input) => input.set(pixels));
    sha256[kind] = Buffer.from(await crypto.subtle.digest("SHA-256", features)).toString("hex");
  }
  const file = { onnx: Buffer.from(bytes).toString("base64"), side, image_features: [...reference], sha256 };
  await writeFile(path.join(import.meta.dirname, `${name}.json`), `${JSON.stringify(file)}\n`);
  console.log(name, bytes.length, sha256);
}
