import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { LOCAL_DIR } from "../paths.ts";
import { compileEncoder } from "./compile-encoder.ts";
import { inputsHash } from "./inputs-hash.ts";

/** A compiled encoder, as a release holds it. */
export interface EncoderFiles {
  readonly program: Uint8Array;
  readonly weights: Uint8Array;
  /** Weights and arena: what one encoder takes in its isolate. */
  readonly memoryBytes: number;
}

const entrySchema = z.object({ memoryBytes: z.number(), reason: z.string() });

/**
 * Program and weights of a model's encoder, when it compiles and passes its gate on the folder's own examples; null when
 * onnxruntime-web is to run it. Compiling and measuring take seconds, so the result is kept by the content of all that it
 * depends on.
 */
export async function encoderFiles(dir: string, graph: string): Promise<EncoderFiles | null> {
  if (!existsSync(path.join(dir, "examples/examples.json"))) return null;
  const cached = path.join(LOCAL_DIR, "compiled", await inputsHash(dir, graph));
  const kept = await readEntry(cached);
  if (kept !== undefined) return kept;
  const { choice, calibration, weightsBytes, arenaBytes } = await compileEncoder(dir, { graph });
  const usable = choice.runtime === "fovea" && calibration !== null;
  const memoryBytes = (weightsBytes ?? 0) + (arenaBytes ?? 0);
  const files = usable ? { program: calibration.program, weights: calibration.weights, memoryBytes } : null;
  await writeEntry(cached, files, choice.reason);
  return files;
}

async function readEntry(folder: string): Promise<EncoderFiles | null | undefined> {
  const text = await readFile(path.join(folder, "entry.json"), "utf8").catch(() => null);
  if (text === null) return undefined;
  const { memoryBytes } = entrySchema.parse(JSON.parse(text));
  if (memoryBytes === 0) return null;
  const [program, weights] = await Promise.all(["program", "weights"].map((name) => readFile(path.join(folder, name))));
  return program === undefined || weights === undefined ? undefined : { program, weights, memoryBytes };
}

/** Whole or not at all: two processes may compile the same at once. */
async function writeEntry(folder: string, files: EncoderFiles | null, reason: string): Promise<void> {
  const draft = `${folder}.${process.pid}.tmp`;
  await mkdir(draft, { recursive: true });
  if (files !== null) {
    await writeFile(path.join(draft, "program"), files.program);
    await writeFile(path.join(draft, "weights"), files.weights);
  }
  await writeFile(path.join(draft, "entry.json"), JSON.stringify({ memoryBytes: files?.memoryBytes ?? 0, reason }));
  await rename(draft, folder).catch(() => undefined);
}
