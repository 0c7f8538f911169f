import { IsolateProbe } from "../../infra/local/isolate-probe.ts";
import { startNative, startWorkerd, type Answer, type RuntimeProcess } from "./process.ts";

/** One runtime on one form of a model. */
export interface Contender {
  readonly name: string;
  /** File or folder of the model's folder. */
  readonly files: string;
  readonly start: (folder: string, inspect?: boolean) => Promise<RuntimeProcess>;
  /** Runs in a Worker, so that its memory has a budget. */
  readonly inIsolate: boolean;
  /** With the first model alone: too large for any isolate after it, or no news. */
  readonly smallOnly?: boolean;
}

const ours = (folder: string, inspect = false) => startWorkerd("ours.workerd.ts", folder, { inspect });
const ort = (folder: string, inspect = false) => startWorkerd("ort.workerd.ts", folder, { inspect });

/** What x86-64 machines have that are older than AVX-VNNI, and those that V8 does not use it on. */
const withoutVnni = (folder: string, inspect = false) =>
  startWorkerd("ours.workerd.ts", folder, { inspect, v8Flags: ["--no-enable-avx-vnni"] });

export const CONTENDERS: readonly Contender[] = [
  { name: "onnxruntime-node fp32", files: "fp32.onnx", start: startNative, inIsolate: false },
  { name: "onnxruntime-node int8", files: "int8.onnx", start: startNative, inIsolate: false },
  { name: "onnxruntime-web fp32", files: "fp32.onnx", start: ort, inIsolate: true, smallOnly: true },
  { name: "onnxruntime-web int8", files: "int8.onnx", start: ort, inIsolate: true },
  { name: "ours i8 x u7", files: "i8_u7", start: ours, inIsolate: true },
  ...(process.arch === "x64"
    ? [{ name: "ours i8 x u7, no VNNI", files: "i8_u7", start: withoutVnni, inIsolate: true, smallOnly: true }]
    : []),
  { name: "ours i16 x i8", files: "i16_i8", start: ours, inIsolate: true },
];

/** A contender that has loaded and run once. */
export interface Running {
  readonly contender: Contender;
  readonly runtime: RuntimeProcess;
  readonly load: Answer;
  readonly first: Answer;
  readonly wasmBytes: number;
  /** Later runs: milliseconds computed, and those that passed. */
  readonly times: number[];
  readonly walls: number[];
}

const runOf = (side: number): string => `/run?side=${side}`;

async function wasmBytes(runtime: RuntimeProcess): Promise<number> {
  return Number(new TextDecoder().decode((await runtime.ask("/memory")).body));
}

export async function begin(contender: Contender, folder: string, side: number): Promise<Running> {
  const runtime = await contender.start(folder);
  try {
    // The picture is made before the clock runs.
    await runtime.ask(`/picture?side=${side}`);
    const load = await runtime.ask(`/load?files=${contender.files}`);
    const first = await runtime.ask(runOf(side));
    return { contender, runtime, load, first, wasmBytes: await wasmBytes(runtime), times: [], walls: [] };
  } catch (thrown) {
    runtime.stop();
    throw thrown;
  }
}

export async function runAgain({ runtime, times, walls }: Running, side: number): Promise<void> {
  const { cpuMs, ms } = await runtime.ask(runOf(side));
  times.push(cpuMs);
  walls.push(ms);
}

export interface ColdStart {
  /** Milliseconds of a load and the run after it, over those of a later run and a bare read of the same bytes. */
  readonly passed: number;
  /** The same in milliseconds that any thread computed: what V8 compiles beside the run counts in full. */
  readonly computed: number;
}

/** A start in a fresh process, and the later run and the read that it is held against, in the same one. Null where a runtime reads its files itself. */
export async function coldStart(contender: Contender, folder: string, side: number): Promise<ColdStart | null> {
  if (!contender.name.startsWith("ours")) return null;
  const one = await begin(contender, folder, side);
  try {
    const reads: Answer[] = [];
    for (let i = 0; i < 3; i++) {
      await runAgain(one, side);
      reads.push(await one.runtime.ask(`/read?files=${contender.files}`));
    }
    const { load, first, walls, times } = one;
    const least = (values: readonly number[]): number => Math.min(...values);
    return {
      passed: (load.ms + first.ms) / (least(walls) + least(reads.map(({ ms }) => ms))),
      computed: (load.cpuMs + first.cpuMs) / (least(times) + least(reads.map(({ cpuMs }) => cpuMs))),
    };
  } finally {
    one.runtime.stop();
  }
}

/** Largest JavaScript heap of an isolate while it loads and runs, bytes, in a process of its own with an inspector. */
export async function heapBytes({ start, files }: Contender, folder: string, side: number): Promise<number> {
  const runtime = await start(folder, true);
  try {
    const probe = await IsolateProbe.open(runtime.inspectorPort, files, "main");
    probe.watch(2);
    for (const target of [`/picture?side=${side}`, `/load?files=${files}`, runOf(side), runOf(side)])
      await runtime.ask(target);
    probe.close();
    return probe.peakBytes;
  } finally {
    runtime.stop();
  }
}
