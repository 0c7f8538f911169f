import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { EngineHost } from "../functions/origin/engine/host.ts";
import type { Bench, Table } from "./bench.ts";
import { memoryBandwidth } from "./origin/bandwidth.ts";
import { BareSession } from "./origin/bare.ts";
import { graphPath, openModel, sourceOf, type BenchModel } from "./origin/model.ts";
import { loopDelayDuringPrefill, showLoopDelay } from "./origin/health.ts";
import { overload, type Overload } from "./origin/overload.ts";
import { runPeer, type PeerResult } from "./origin/run-peer.ts";
import { median, quantile } from "./origin/statistics.ts";
import { gapsUnderLongPrompt, throughput, timeToFirstToken } from "./origin/streams.ts";

const BATCHES = [1, 2, 4, 8, 16];
const ROUNDS = 3;
const STEPS = 12;
const TOKENS = 24;
const SHORT_PROMPTS = 16;
/** The first few, which transformers.js answers one after another. */
const PEER_PROMPTS = 3;
const ENGINE = { maxSequences: 16, kvBytes: 2 ** 31, prefillSliceMs: 50, maxChunkTokens: 512, prefixCache: true };

type Row = [figure: string, value: string, goal: string];

/**
 * The engine against bare `session.run`, transformers.js and llama.cpp on the same weights, one run, side by side.
 *
 *     npm run bench -- origin --model DIR [--peers DIR] [--gguf FILE] [--threads 2] [--part NAME...]
 *
 * Parts: streams, graphs, latency, health, overload; all of them without `--part`. `--peers` is a folder where
 * `@huggingface/transformers` and `node-llama-cpp` are installed. FOVEA_PROVIDER picks the provider.
 */
export const bench: Bench = {
  name: "origin",
  title: "Origin: tokens per second, time to first token, behaviour under load",
  async run({ args }): Promise<Table> {
    const { values } = parseArgs({
      args: [...args],
      options: {
        model: { type: "string" },
        peers: { type: "string" },
        gguf: { type: "string" },
        threads: { type: "string", default: "2" },
        part: { type: "string", multiple: true },
      },
    });
    const wants = (part: string): boolean => values.part?.includes(part) ?? true;
    if (values.model === undefined)
      throw new Error("origin needs --model DIR: recipes/smollm2-135m-instruct/make.sh DIR");
    const model = openModel(values.model);
    const threads = Number(values.threads);
    const rows: Row[] = [];
    const engine = await start(model, "decoder_rows_q4", threads);
    const peers = await runPeers(model, values.peers, values.gguf, threads, rows);
    if (wants("streams")) {
      const single = await streams(model, engine, threads, peers, rows);
      rows.push(["share of memory bandwidth", bandwidthShare(model, single), ""]);
    }
    if (wants("graphs")) await graphs(model, threads, peers.transformers, rows);
    if (wants("latency")) await latency(model, engine, rows);
    if (wants("health")) await health(model, engine, rows);
    if (wants("overload")) await load(model, engine, rows);
    await engine.close();
    return {
      columns: ["figure", "value", "to reach"],
      rows,
      notes: [
        `provider ${engine.provider.provider} (${engine.provider.reason}), ${threads} threads, graph decoder_rows_q4`,
        `medians of ${ROUNDS} rounds; engine and bare session take turns within a round`,
      ],
    };
  },
};

function start(model: BenchModel, graph: string, threads: number): Promise<EngineHost> {
  return EngineHost.start({ backbone: sourceOf(model, graph, threads), settings: ENGINE, tokenizer: null });
}

interface Peers {
  readonly transformers: number | null;
}

async function runPeers(
  model: BenchModel,
  folder: string | undefined,
  gguf: string | undefined,
  threads: number,
  rows: Row[],
): Promise<Peers> {
  const prompts = model.prompts.slice(0, SHORT_PROMPTS).map((ids) => [...ids]);
  const common = [String(threads), String(TOKENS)];
  const has = (name: string): boolean => folder !== undefined && existsSync(join(folder, "node_modules", name));
  let transformers: number | null = null;
  if (folder !== undefined && has("@huggingface/transformers")) {
    const args = [folder, model.folder, visionEncoder(), ...common, JSON.stringify(prompts.slice(0, PEER_PROMPTS))];
    const results = await runPeer("transformers.js", args);
    transformers = median(results.map(({ tokens_per_second }) => tokens_per_second));
    rows.push(["transformers.js, decoder_model_merged_q4, 1 stream", perSecond(transformers), ""]);
  } else rows.push(["transformers.js", "not installed (--peers)", ""]);
  if (folder !== undefined && gguf !== undefined && has("node-llama-cpp")) {
    const results: PeerResult[] = await runPeer("llama.cpp", [folder, gguf, ...common, JSON.stringify(prompts)]);
    for (const { streams, tokens_per_second } of results) {
      rows.push([`llama.cpp (node-llama-cpp), ${streams} streams`, perSecond(tokens_per_second), ""]);
    }
  } else rows.push(["llama.cpp", "not installed (--peers, --gguf)", ""]);
  return { transformers };
}

/** Any encoder does: it is loaded because transformers.js asks for one, and never run. */
function visionEncoder(): string {
  const folder = new URL("../model-artifacts/moji-vlm-9m/onnx/", import.meta.url).pathname;
  const file = readdirSync(folder).find((name) => name.startsWith("vision_encoder") && name.endsWith(".onnx"));
  if (file === undefined) throw new Error("the built-in model has no vision encoder");
  return folder + file;
}

/** Tokens per second at every batch, against bare runs of the same graph in the same round. Returns the single stream's. */
async function streams(
  model: BenchModel,
  engine: EngineHost,
  threads: number,
  { transformers }: Peers,
  rows: Row[],
): Promise<number> {
  const bare = await BareSession.open(graphPath(model, "decoder_rows_q4"), engine.spec, threads);
  const prompts = model.prompts.slice(0, SHORT_PROMPTS);
  const bests = new Map<number, number>();
  for (const batch of BATCHES) {
    const shares: number[] = [];
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const ms = await bare.measure(batch, STEPS);
      const rate = await throughput(engine, prompts, batch, TOKENS);
      rates.push(rate);
      shares.push(rate / ((batch / ms) * 1000));
    }
    bests.set(batch, median(rates));
    console.error(`${batch} streams measured`);
    rows.push([
      `engine, ${batch} streams`,
      `${perSecond(median(rates))}, ${percent(median(shares))} of bare session.run`,
      ">= 90 %",
    ]);
  }
  await bare.close();
  const single = bests.get(1) ?? Number.NaN;
  const sixteen = bests.get(16) ?? Number.NaN;
  rows.push(["16 streams against own single stream", times(sixteen / single), ">= 2.5 x"]);
  if (transformers !== null) {
    rows.push(["16 streams against transformers.js", times(sixteen / transformers), ">= 3 x"]);
  }
  return single;
}

/** One stream on each of our graphs in turn; the first is the file that transformers.js runs. */
async function graphs(model: BenchModel, threads: number, transformers: number | null, rows: Row[]): Promise<void> {
  const names = ["decoder_model_merged_q4", "decoder_gqa_q4", "decoder_rows_q4"];
  const engines = await Promise.all(names.map((name) => start(model, name, threads)));
  const rates = engines.map((): number[] => []);
  for (let round = 0; round < 2 * ROUNDS; round++) {
    const at = round % PEER_PROMPTS;
    const prompts = model.prompts.slice(at, at + 1);
    for (const [n, engine] of engines.entries()) rates[n]?.push(await throughput(engine, prompts, 1, TOKENS));
  }
  for (const engine of engines) await engine.close();
  const medians = rates.map(median);
  for (const [n, name] of names.entries()) {
    const rate = medians[n] ?? Number.NaN;
    const ratio = transformers === null ? "" : `, ${times(rate / transformers)} transformers.js`;
    rows.push([`engine, ${name}, 1 stream`, perSecond(rate) + ratio, n === 0 ? ">= 1.0 x" : ""]);
  }
  if (transformers !== null)
    rows.push([
      "best graph, 1 stream, against transformers.js",
      times(Math.max(...medians) / transformers),
      ">= 1.2 x",
    ]);
}

async function latency(model: BenchModel, engine: EngineHost, rows: Row[]): Promise<void> {
  const long = model.prompts.toSorted((a, b) => b.length - a.length)[1] ?? new Int32Array([1]);
  const cold: number[] = [];
  const warm: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    cold.push(await timeToFirstToken(engine, long, `ttft-${round}`));
    warm.push(await timeToFirstToken(engine, long, `ttft-${round}`));
  }
  rows.push([`TTFT, prompt of ${long.length} tokens`, `${median(cold).toFixed(0)} ms`, ""]);
  rows.push(["TTFT with its prefix cached", times(median(warm) / median(cold)), "<= 0.15 x"]);
  const { quiet, busy } = await gapsUnderLongPrompt(engine, model.prompts, long, 4);
  const show = (gaps: number[]): string =>
    `p50 ${quantile(gaps, 0.5).toFixed(0)} ms, p99 ${quantile(gaps, 0.99).toFixed(0)} ms`;
  rows.push(["time per token, 4 streams", show(quiet), ""]);
  rows.push(["the same while a long prompt arrives", show(busy), ""]);
}

async function health(model: BenchModel, engine: EngineHost, rows: Row[]): Promise<void> {
  const long = model.prompts.toSorted((a, b) => b.length - a.length)[1] ?? new Int32Array([1]);
  rows.push(["event loop late during prefill", showLoopDelay(await loopDelayDuringPrefill(engine, long)), "< 20 ms"]);
}

async function load(model: BenchModel, engine: EngineHost, rows: Row[]): Promise<void> {
  const prompts = model.prompts.slice(0, SHORT_PROMPTS);
  const rounds: Overload[] = [];
  for (let round = 0; round < ROUNDS; round++)
    rounds.push(await overload(engine, prompts, 3 * ENGINE.maxSequences, `load-${round}`));
  const shares = rounds.map(({ goodput, peak }) => goodput / peak);
  const slowest = Math.max(...rounds.map(({ slowestRefusalMs }) => slowestRefusalMs));
  const refused = rounds.reduce((sum, round) => sum + round.refused, 0);
  rows.push([
    "goodput at twice the capacity",
    `${percent(median(shares))} (${shares.map(percent).join(", ")})`,
    ">= 90 %",
  ]);
  rows.push(["slowest refusal", `${slowest.toFixed(1)} ms, ${refused} refused`, "< 50 ms"]);
}

/** A decode step reads every weight once: what one stream reads a second, against what memory gives one thread. */
function bandwidthShare(model: BenchModel, tokensPerSecond: number): string {
  const weights = statSync(join(model.folder, "onnx", "model_q4.onnx_data")).size;
  const limit = memoryBandwidth();
  return `${percent((weights * tokensPerSecond) / limit)} of ${(limit / 1e9).toFixed(1)} GB/s`;
}

const perSecond = (value: number): string => `${value.toFixed(1)} tokens/s`;
const percent = (value: number): string => `${(value * 100).toFixed(0)} %`;
const times = (value: number): string => `${value.toFixed(2)} x`;
