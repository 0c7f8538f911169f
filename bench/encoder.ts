import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import path from "node:path";
import { assemble } from "../shared/encoder/compile/assemble.ts";
import { cosine } from "../shared/encoder/compile/calibrate.ts";
import { compileGraph } from "../shared/encoder/compile/compile.ts";
import { LINEAR_KINDS, type LinearKind } from "../shared/encoder/compile/pack.ts";
import { MAX_SHARD_BYTES } from "../shared/limits/limits.ts";
import type { Bench } from "./bench.ts";
import { encoderGraph, SHAPES, type EncoderShape } from "./encoder/graphs.ts";
import { startNative, startWorkerd, type RuntimeProcess } from "./encoder/process.ts";

/** Rounds of one run each, by the size of the model; all runtimes take turns, so that a busy machine is busy for all. */
const ROUNDS: Readonly<Record<string, number>> = {
  "ViT-S/16 at 224": 15,
  "SigLIP-B/16 at 224": 7,
  "SmolVLM encoder at 512": 3,
};
const CPU_FLAGS = ["avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni"];

interface Contender {
  readonly name: string;
  readonly files: string;
  readonly start: (folder: string) => Promise<RuntimeProcess>;
}

const ours = (folder: string): Promise<RuntimeProcess> => startWorkerd("ours.workerd.ts", folder);
const ort = (folder: string): Promise<RuntimeProcess> => startWorkerd("ort.workerd.ts", folder);

const CONTENDERS: readonly Contender[] = [
  { name: "onnxruntime-node fp32", files: "fp32.onnx", start: startNative },
  { name: "onnxruntime-node int8", files: "int8.onnx", start: startNative },
  { name: "onnxruntime-web fp32, workerd", files: "fp32.onnx", start: ort },
  { name: "onnxruntime-web int8, workerd", files: "int8.onnx", start: ort },
  { name: "ours i8 x u7, workerd", files: "i8_u7", start: ours },
  { name: "ours i16 x i8, workerd", files: "i16_i8", start: ours },
];

/** A program with its weights in shards, as a release has them. */
async function writeProgram(folder: string, onnx: Uint8Array, kind: LinearKind): Promise<void> {
  const compiled = compileGraph(onnx);
  if ("unsupported" in compiled) throw new Error(compiled.unsupported);
  const { program, weights } = assemble(compiled.steps, () => kind);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "program"), program);
  const shards: { sha256: string; size: number }[] = [];
  for (let at = 0; at < weights.length; at += MAX_SHARD_BYTES) {
    const part = weights.subarray(at, at + MAX_SHARD_BYTES);
    await writeFile(path.join(folder, `shard-${shards.length}`), part);
    shards.push({ sha256: createHash("sha256").update(part).digest("hex"), size: part.length });
  }
  await writeFile(path.join(folder, "shards.json"), JSON.stringify(shards));
}

async function writeModels(folder: string, shape: EncoderShape): Promise<void> {
  const onnx = encoderGraph(shape);
  await writeFile(path.join(folder, "fp32.onnx"), onnx);
  await writeFile(path.join(folder, "int8.onnx"), encoderGraph(shape, true));
  await writeProgram(path.join(folder, "i8_u7"), onnx, LINEAR_KINDS.i8_u7);
  await writeProgram(path.join(folder, "i16_i8"), onnx, LINEAR_KINDS.i16_i8);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

type Row = readonly (string | number)[];

async function measure(shape: EncoderShape): Promise<Row[]> {
  const folder = await mkdtemp(path.join(tmpdir(), "fovea-bench-"));
  const running: RuntimeProcess[] = [];
  try {
    await writeModels(folder, shape);
    const found = [];
    const target = `/run?side=${shape.image}`;
    for (const { name, files, start } of CONTENDERS) {
      const runtime = await start(folder);
      running.push(runtime);
      const load = await runtime.ask(`/load?files=${files}`);
      const first = await runtime.ask(target);
      const heap = Number(new TextDecoder().decode((await runtime.ask("/memory")).body));
      found.push({ name, runtime, load: load.ms, first, heap, times: [] as number[] });
    }
    for (let round = 0; round < (ROUNDS[shape.name] ?? 5); round++) {
      for (const { runtime, times } of found) times.push((await runtime.ask(target)).ms);
    }
    const reference = new Float32Array(found[0]?.first.body ?? new ArrayBuffer());
    const base = median(found[0]?.times ?? []);
    const rows: Row[] = [];
    for (const { name, runtime, load, first, heap, times } of found) {
      const run = median(times);
      rows.push([
        shape.name,
        name,
        load.toFixed(0),
        first.ms.toFixed(0),
        run.toFixed(1),
        (run / base).toFixed(2),
        Math.min(...times).toFixed(1),
        heap === 0 ? "-" : (heap / 1e6).toFixed(1),
        ((await runtime.peakBytes()) / 1e6).toFixed(0),
        cosine(new Float32Array(first.body), reference).toFixed(5),
      ]);
    }
    return rows;
  } finally {
    for (const runtime of running) runtime.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function cpuFlags(): Promise<string> {
  const info = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
  const flags = new Set(/^flags\s*:(.*)$/m.exec(info)?.[1]?.split(" "));
  return CPU_FLAGS.map((flag) => (flags.has(flag) ? flag : `no ${flag}`)).join(", ");
}

export const bench: Bench = {
  name: "encoder",
  title: "Vision encoders of real size with random weights: one process and one thread each, all taking turns",
  async run({ args }) {
    const [wanted] = args;
    const shapes = SHAPES.filter(
      ({ name }) => wanted === undefined || name.toLowerCase().includes(wanted.toLowerCase()),
    );
    const rows: Row[] = [];
    for (const shape of shapes) rows.push(...(await measure(shape)));
    return {
      columns: [
        "model",
        "runtime",
        "load ms",
        "first ms",
        "run ms p50",
        "x native fp32",
        "min ms",
        "wasm MB",
        "peak MB",
        "cosine",
      ],
      rows,
      notes: [
        `CPU: ${await cpuFlags()}`,
        "load: read, check and prepare; first: the run after it; times include a loopback request.",
        "peak MB: highest resident memory of the process above what it had when empty; of workerd that is the Worker.",
        "transformers.js runs on onnxruntime-node in Node, so its lines stand for it. Cosine: first run to native fp32.",
        "npm run bench -- encoder vit | siglip | smolvlm measures one of them.",
      ],
    };
  },
};
