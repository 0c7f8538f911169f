import { parseArgs } from "node:util";
import type { EngineHost } from "../functions/origin/engine/host.ts";
import type { Bench, Table } from "./bench.ts";
import { ENGINE, shortPrompts, startEngine, startPeers } from "./origin/contenders.ts";
import { loopDelayDuringPrefill, showLoopDelay } from "./origin/health.ts";
import { openModel, ROWS, type BenchModel } from "./origin/model.ts";
import { overload, type Overload } from "./origin/overload.ts";
import { graphs, streams } from "./origin/rates.ts";
import { writeRandomModel } from "./origin/random-model.ts";
import { percent, times, type Row } from "./origin/show.ts";
import { median, quantile } from "./numbers/statistics.ts";
import { gapsUnderLongPrompt, timeToFirstToken } from "./origin/streams.ts";

const ROUNDS = 5;
const PARTS = ["streams", "graphs", "latency", "health", "overload"];

/**
 * The engine against bare `session.run`, transformers.js and llama.cpp on the same weights, one run, side by side.
 *
 *     npm run bench -- origin [--model DIR] [--peers DIR] [--gguf FILE] [--threads 2] [--part NAME...]
 *
 * Without `--model` the weights are random, in the dimensions of the model that the recipe makes; without `--part` all of `PARTS` run.
 * `--peers` is a folder where `@huggingface/transformers` and `node-llama-cpp` are installed. FOVEA_PROVIDER picks the provider.
 */
export const bench: Bench = {
  name: "origin",
  title: "Origin: tokens per second, time to first token, behaviour under load",
  usage: `[--model DIR] [--peers DIR] [--gguf FILE] [--threads 2] [--part ${PARTS.join(" | ")}]...`,
  allows: /.*/,
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
    const unknown = values.part?.find((part) => !PARTS.includes(part));
    if (unknown !== undefined) throw new Error(`there is no part ${unknown}, but ${PARTS.join(", ")}`);
    const wants = (part: string): boolean => values.part?.includes(part) ?? true;
    const model = values.model === undefined ? await writeRandomModel() : openModel(values.model);
    const threads = Number(values.threads);
    const rows: Row[] = [];
    const engine = await startEngine(model, ROWS, threads);
    if (wants("streams") || wants("graphs")) {
      const peers = await startPeers(model, { peers: values.peers, gguf: values.gguf }, threads);
      if (wants("streams")) rows.push(...(await streams(model, engine, threads, peers)));
      await peers.llama?.close();
      if (wants("graphs")) rows.push(...(await graphs(model, threads, peers)));
      await peers.transformers?.close();
    }
    if (wants("latency")) rows.push(...(await latency(model, engine)));
    if (wants("health")) rows.push(...(await health(model, engine)));
    if (wants("overload")) rows.push(...(await load(model, engine)));
    await engine.close();
    return {
      columns: ["figure", "value", "to reach"],
      rows,
      notes: [
        `provider ${engine.provider.provider} (${engine.provider.reason}), ${threads} threads, graph ${ROWS}, ${model.name}`,
        "engine, bare session and peers take turns within a round; ratios are medians of those within each round",
      ],
    };
  },
};

async function latency(model: BenchModel, engine: EngineHost): Promise<Row[]> {
  const { long } = model;
  const cold: number[] = [];
  const warm: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    cold.push(await timeToFirstToken(engine, long, `ttft-${round}`));
    warm.push(await timeToFirstToken(engine, long, `ttft-${round}`));
  }
  const { quiet, busy } = await gapsUnderLongPrompt(engine, model.prompts, long, 4);
  const show = (gaps: number[]): string =>
    `p50 ${quantile(gaps, 0.5).toFixed(0)} ms, p99 ${quantile(gaps, 0.99).toFixed(0)} ms`;
  return [
    [`TTFT, prompt of ${long.length} tokens`, `${median(cold).toFixed(0)} ms`, ""],
    ["TTFT with its prefix cached", times(median(warm) / median(cold)), "<= 0.15 x"],
    ["time per token, 4 streams", show(quiet), ""],
    ["the same while a long prompt arrives", show(busy), ""],
  ];
}

async function health(model: BenchModel, engine: EngineHost): Promise<Row[]> {
  return [
    ["event loop late during prefill", showLoopDelay(await loopDelayDuringPrefill(engine, model.long)), "< 20 ms"],
  ];
}

async function load(model: BenchModel, engine: EngineHost): Promise<Row[]> {
  const prompts = shortPrompts(model);
  const rounds: Overload[] = [];
  for (let round = 0; round < ROUNDS; round++)
    rounds.push(await overload(engine, prompts, 3 * ENGINE.maxSequences, `load-${round}`));
  const shares = rounds.map(({ goodput, peak }) => goodput / peak);
  const slowest = Math.max(...rounds.map(({ slowestRefusalMs }) => slowestRefusalMs));
  const refused = rounds.reduce((sum, round) => sum + round.refused, 0);
  return [
    ["goodput at twice the capacity", `${percent(median(shares))} (${shares.map(percent).join(", ")})`, ">= 90 %"],
    ["slowest refusal", `${slowest.toFixed(1)} ms, ${refused} refused`, "< 50 ms"],
  ];
}
