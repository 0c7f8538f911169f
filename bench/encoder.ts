import { readFile, rm } from "node:fs/promises";
import { cosine } from "../shared/encoder/compile/calibrate.ts";
import { ENCODER_BUDGET_BYTES } from "../shared/limits/isolate.ts";
import type { Bench } from "./bench.ts";
import {
  begin,
  coldStart,
  CONTENDERS,
  heapBytes,
  runAgain,
  type ColdStart,
  type Running,
} from "./encoder/contenders.ts";
import { temporaryFolder } from "./files/temporary-folder.ts";
import { SHAPES, type EncoderShape } from "./graphs/encoder.ts";
import { writeModels } from "./encoder/models.ts";
import { median } from "./numbers/statistics.ts";

/** Fresh processes of which the middle one's start counts. */
const COLD_STARTS = 5;

/** Rounds of one run each; all runtimes take turns, so that a busy machine is busy for all. */
const ROUNDS = 12;

/** After so long no further round of a model begins: the whole bench ends within eight minutes. */
const ROUNDS_MS = 60_000;

const CPU_FLAGS = ["avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni"];

function megabytes(bytes: number | null): string {
  return bytes === null || bytes === 0 ? "-" : (bytes / 1e6).toFixed(1);
}

type Row = readonly (string | number)[];

async function coldStarts(one: Running, folder: string, side: number): Promise<readonly ColdStart[]> {
  const starts: ColdStart[] = [];
  for (let i = 0; i < COLD_STARTS; i++) {
    const start = await coldStart(one.contender, folder, side);
    if (start === null) return [];
    starts.push(start);
  }
  return starts;
}

function rowOf(model: string, one: Running, base: Running, cold: readonly ColdStart[], heap: number | null): Row {
  const { contender, load, first, wasmBytes, times } = one;
  const run = median(times);
  const middle = (of: (start: ColdStart) => number): string =>
    cold.length === 0 ? "-" : median(cold.map(of)).toFixed(2);
  const all = heap === null ? null : wasmBytes + heap;
  return [
    model,
    contender.name,
    load.cpuMs.toFixed(0),
    first.cpuMs.toFixed(0),
    run.toFixed(1),
    Math.min(...times).toFixed(1),
    (run / median(base.times)).toFixed(2),
    middle(({ passed }) => passed),
    middle(({ computed }) => computed),
    megabytes(wasmBytes),
    megabytes(heap),
    megabytes(all),
    all === null ? "-" : all <= ENCODER_BUDGET_BYTES ? "yes" : "NO",
    cosine(new Float32Array(first.body), new Float32Array(base.first.body)).toFixed(5),
  ];
}

async function measure(shape: EncoderShape): Promise<Row[]> {
  const folder = await temporaryFolder("encoder");
  const found: Running[] = [];
  const { name, image } = shape;
  try {
    await writeModels(folder, shape);
    for (const contender of CONTENDERS) {
      if (contender.smallOnly === true && shape !== SHAPES[0]) continue;
      found.push(await begin(contender, folder, image));
    }
    const started = performance.now();
    for (let round = 0; round < ROUNDS && (round < 2 || performance.now() - started < ROUNDS_MS); round++)
      for (const one of found) await runAgain(one, image);
    const [base] = found;
    if (base === undefined) throw new Error("The bench has no contenders.");
    const rows: Row[] = [];
    for (const one of found) {
      const heap = one.contender.inIsolate ? await heapBytes(one.contender, folder, image) : null;
      rows.push(rowOf(name, one, base, await coldStarts(one, folder, image), heap));
    }
    return rows;
  } finally {
    for (const { runtime } of found) runtime.stop();
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
  usage: "[vit | siglip | smolvlm]",
  allows: /^(?:vit|siglip|smolvlm)$/,
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
        "min ms",
        "x native fp32",
        "cold / warm",
        "computed",
        "wasm MB",
        "JS MB",
        "Worker MB",
        "in budget",
        "cosine",
      ],
      rows,
      notes: [
        `CPU: ${await cpuFlags()}. All but onnxruntime-node runs in workerd.`,
        "ms: what all threads of the process computed meanwhile, so that another process does not count; p50 of all rounds.",
        "load: read, check and prepare; first: the run after it. cold / warm: time that passes for both, over a later run and a bare read,",
        "in a fresh process, the middle one of five; computed: the same of what all threads computed, V8's compilers among them.",
        "JS: largest heap by the inspector while loading and running, what is not collected yet among it, in a process of its own.",
        `Budget of the Worker: ${megabytes(ENCODER_BUDGET_BYTES)} MB. The code of onnxruntime-web (14 MB) is in no column.`,
        "transformers.js runs on onnxruntime-node in Node, so its lines stand for it. Cosine: first run to native fp32.",
        "npm run bench -- encoder vit | siglip | smolvlm measures one of them.",
      ],
    };
  },
};
