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
  readonly times: number[];
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
    return { contender, runtime, load, first, wasmBytes: await wasmBytes(runtime), times: [] };
  } catch (thrown) {
    runtime.stop();
    throw thrown;
  }
}

export async function runAgain({ runtime, times }: Running, side: number): Promise<void> {
  times.push((await runtime.ask(runOf(side))).cpuMs);
}

/** What a load cannot do without: the least of three reads of the files. Null where a runtime reads them itself. */
export async function readMs({ runtime, contender }: Running): Promise<number | null> {
  if (!contender.name.startsWith("ours")) return null;
  const reads: number[] = [];
  for (let i = 0; i < 3; i++) reads.push((await runtime.ask(`/read?files=${contender.files}`)).cpuMs);
  return Math.min(...reads);
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
