import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { assemble } from "../../shared/encoder/compile/assemble.ts";
import { compileGraph } from "../../shared/encoder/compile/compile.ts";
import { LINEAR_KINDS, type LinearKind } from "../../shared/encoder/compile/pack.ts";
import { MAX_SHARD_BYTES } from "../../shared/limits/limits.ts";
import type { ReleaseFile } from "../../shared/releases/release.ts";
import { encoderGraph, type EncoderShape } from "../graphs/encoder.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** A program with its weights in shards, as a release has them. */
async function writeProgram(folder: string, onnx: Uint8Array, kind: LinearKind): Promise<void> {
  const compiled = compileGraph(onnx);
  if ("unsupported" in compiled) throw new Error(compiled.unsupported);
  const { program, weights } = assemble(compiled.steps, () => kind);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "program"), program);
  const shards: ReleaseFile["shards"][number][] = [];
  for (let at = 0; at < weights.length; at += MAX_SHARD_BYTES) {
    const part = weights.subarray(at, at + MAX_SHARD_BYTES);
    await writeFile(path.join(folder, `shard-${shards.length}`), part);
    shards.push({ sha256: sha256(part), size: part.length });
  }
  const file: ReleaseFile = { size: weights.length, sha256: sha256(weights), shards };
  await writeFile(path.join(folder, "weights.json"), JSON.stringify(file));
}

/** All forms of a model that a contender takes. */
export async function writeModels(folder: string, shape: EncoderShape): Promise<void> {
  const onnx = encoderGraph(shape);
  await writeFile(path.join(folder, "fp32.onnx"), onnx);
  await writeFile(path.join(folder, "int8.onnx"), encoderGraph(shape, "int8"));
  await writeProgram(path.join(folder, "i8_u7"), onnx, LINEAR_KINDS.i8_u7);
  await writeProgram(path.join(folder, "i16_i8"), onnx, LINEAR_KINDS.i16_i8);
}
