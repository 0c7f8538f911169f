import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { calibrate, type Calibration, type GatePicture } from "../../shared/encoder/compile/calibrate.ts";
import { compileGraph } from "../../shared/encoder/compile/compile.ts";
import type { Steps } from "../../shared/encoder/graph/steps.ts";
import { ProgramError } from "../../shared/encoder/program/error.ts";
import { parseProgram } from "../../shared/encoder/program/program.ts";
import { Machine } from "../../shared/encoder/program/run.ts";
import { chooseEncoderRuntime, type EncoderFacts, type RuntimeChoice } from "../../shared/encoder/choose.ts";
import { MAX_COMPILED_GRAPH_BYTES } from "../../shared/limits/encoder.ts";
import { keptAnswers } from "./answers.ts";
import { ReferenceDecoder } from "./decoder.ts";
import { readExamples, readPictures, tilesOf, type Example, type ExamplePicture } from "./examples.ts";
import { graphData } from "./graph-data.ts";
import { Reference } from "./reference.ts";

const WASM = path.join(import.meta.dirname, "../../shared/encoder/encoder.wasm");

export interface CompiledEncoder {
  readonly choice: RuntimeChoice;
  readonly facts: EncoderFacts;
  /** Present when the graph compiled and there were pictures to measure it on. */
  readonly calibration: Calibration | null;
  readonly arenaBytes: number | null;
  readonly weightsBytes: number | null;
}

/** Reads a graph, its external data and nothing else, and compiles it, or says why not. */
async function compileFile(graph: string): Promise<ReturnType<typeof compileGraph>> {
  const data = await graphData(graph);
  const bytes = data.reduce((sum, { size }) => sum + size, (await stat(graph)).size);
  if (bytes > MAX_COMPILED_GRAPH_BYTES)
    return { unsupported: `${bytes} bytes with its weights, ${MAX_COMPILED_GRAPH_BYTES} at most` };
  const files = data.map(async ({ location, file }) => [location, await readFile(file)] as const);
  return compileGraph(await readFile(graph), new Map(await Promise.all(files)));
}

export async function encoderModule(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(WASM));
}

/** Asks the recorded questions again, where the folder has them and a decoder to answer; null where it has not. */
async function answersOf(
  dir: string,
  { program, weights }: Calibration,
  pictures: readonly (ExamplePicture | Example)[],
): Promise<EncoderFacts["answers"]> {
  const examples = pictures.filter((picture) => "answer" in picture);
  if (examples.length === 0) return null;
  const decoder = await ReferenceDecoder.open(dir);
  if (decoder === null) return null;
  const machine = new Machine(parseProgram(program), await encoderModule());
  machine.weights().set(weights);
  const { kept, of } = await keptAnswers(machine, decoder, examples);
  return { kept, of };
}

interface CompileOptions {
  readonly graph?: string;
  readonly reference?: string;
  /** A folder of pictures to measure on, instead of the model folder's examples. */
  readonly pictures?: string;
  readonly onProgress?: (share: number) => void;
}

/**
 * Compiles `graph` (default `onnx/vision_encoder.onnx`) of a model folder for our runtime and measures it on the folder's
 * example pictures against `reference` (default: the same graph) in native onnxruntime. What the compiler cannot read, or makes a
 * program of that must not run, is the reason of the choice.
 */
export async function compileEncoder(dir: string, options: CompileOptions = {}): Promise<CompiledEncoder> {
  const graph = path.join(dir, options.graph ?? "onnx/vision_encoder.onnx");
  const compiled = await compileFile(graph);
  if ("unsupported" in compiled) return leftAlone(compiled.unsupported);
  try {
    return await measure(dir, graph, compiled.steps, options);
  } catch (thrown) {
    if (thrown instanceof ProgramError) return leftAlone(thrown.message.replaceAll(/\s+/g, " "));
    throw thrown;
  }
}

function leftAlone(unsupported: string): CompiledEncoder {
  const facts = { unsupported, programBytes: null, gate: null, answers: null };
  return { choice: chooseEncoderRuntime(facts), facts, calibration: null, arenaBytes: null, weightsBytes: null };
}

async function measure(dir: string, graph: string, steps: Steps, options: CompileOptions): Promise<CompiledEncoder> {
  const examples = await (options.pictures === undefined ? readExamples(dir) : readPictures(dir, options.pictures));
  const reference = await Reference.open(options.reference === undefined ? graph : path.join(dir, options.reference));
  const pictures: GatePicture[] = [];
  for (const { pixel_values, shape } of examples) {
    const image_features = await reference.encode(pixel_values, shape);
    pictures.push({ tiles: tilesOf(pixel_values, shape), image_features });
  }
  await reference.close();
  const calibration = await calibrate(steps, pictures, await encoderModule(), options.onProgress);
  const { weightsBytes, arenaBytes } = parseProgram(calibration.program);
  const facts: EncoderFacts = {
    unsupported: null,
    programBytes: weightsBytes + arenaBytes,
    gate: {
      pictures: pictures.length,
      leastCosine: pictures.length === 0 ? 0 : Math.min(...calibration.cosines),
      passed: calibration.passed,
    },
    answers: await answersOf(dir, calibration, examples),
  };
  return { choice: chooseEncoderRuntime(facts), facts, calibration, arenaBytes, weightsBytes };
}
