import { readFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { encoderModule } from "../../../infra/encoder/compile-encoder.ts";
import { readExamples, type Example } from "../../../infra/encoder/examples.ts";
import { Reference } from "../../../infra/encoder/reference.ts";
import { assemble } from "../../../shared/encoder/compile/assemble.ts";
import { cosine } from "../../../shared/encoder/compile/calibrate.ts";
import { compileGraph } from "../../../shared/encoder/compile/compile.ts";
import { LINEAR_KINDS } from "../../../shared/encoder/compile/pack.ts";
import { parseProgram } from "../../../shared/encoder/program/program.ts";
import { Machine } from "../../../shared/encoder/program/run.ts";

/** The built-in model on our runtime, with the products on the int16 path that its gate chose. */
const DIR = path.join(import.meta.dirname, "../../../model-artifacts/moji-vlm-9m");
const GRAPH = path.join(DIR, "onnx/vision_encoder_fp16.onnx");
const PROMOTED: ReadonlySet<string> = new Set(["/v/patch/MatMul", "/v/blocks.0/f1/MatMul", "/v/blocks.0/f2/MatMul", "/v/p2/MatMul"]);

/** sha256 of image_features of a picture that needs no file. It changes only with KERNELS_VERSION or the weights. */
const GOLDEN = "1e556fa6b3126634e05de87f3f3fae88793642d007048de23ca0bef2de99a067";

describe("moji-vlm-9m", () => {
  let machines: Machine[];
  let examples: Example[];

  beforeAll(async () => {
    const compiled = compileGraph(await readFile(GRAPH));
    if ("unsupported" in compiled) throw new Error(compiled.unsupported);
    const { program, weights } = assemble(compiled.steps, ({ name }) =>
      PROMOTED.has(name) ? LINEAR_KINDS.i16_i8 : LINEAR_KINDS.i8_u7,
    );
    const plain = await readFile(path.join(import.meta.dirname, "../../../shared/encoder/encoder-plain.wasm"));
    machines = [await encoderModule(), await WebAssembly.compile(plain)].map((module) => {
      const machine = new Machine(parseProgram(program), module);
      machine.weights().set(weights);
      return machine;
    });
    examples = await readExamples(DIR);
  });

  it("makes the recorded bits, with and without relaxed SIMD", async () => {
    for (const machine of machines) {
      const features = await machine.run((input) => {
        for (let i = 0; i < input.length; i++) input[i] = ((i * 7919) % 255) / 127.5 - 1;
      });
      const digest = await crypto.subtle.digest("SHA-256", features);
      expect(Buffer.from(digest).toString("hex")).toBe(GOLDEN);
    }
  });

  it("keeps a cosine of 0.999 to native onnxruntime on every example picture", async () => {
    const reference = await Reference.open(GRAPH);
    expect(examples).toHaveLength(24);
    for (const { pixel_values, shape } of examples) {
      const features = await machines[0]?.run((input) => input.set(pixel_values));
      const wanted = await reference.encode(pixel_values, shape);
      expect(cosine(features ?? new Float32Array(), wanted)).toBeGreaterThan(0.999);
    }
    await reference.close();
  });
});
