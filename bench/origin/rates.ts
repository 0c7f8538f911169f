import { readFile, rm, writeFile } from "node:fs/promises";
import type { EngineHost } from "../../functions/origin/engine/host.ts";
import { handBackRows } from "../../infra/releases/onnx/hand-back-rows.ts";
import { memoryBandwidth } from "./bandwidth.ts";
import { BareSession } from "./bare.ts";
import { shortPrompts, startEngine, TOKENS, type Peers } from "./contenders.ts";
import { graphPath, MERGED, ROWS, weightBytes, type BenchModel } from "./model.ts";
import { percent, perSecond, times, type Row } from "./show.ts";
import { median } from "../numbers/statistics.ts";
import { throughput } from "./streams.ts";

const BATCHES = [1, 2, 4, 8, 16];
const ROUNDS = 7;
const BARE_STEPS = 24;

/** Rates of one contender, a round each; ratios are taken within a round, where both ran moments apart. */
type Rates = number[];

const ratios = (over: Rates, under: Rates): Rates => over.map((rate, round) => rate / (under[round] ?? Number.NaN));

/** Tokens per second at every batch beside bare runs of the same graph and both peers, all taking turns in every round. */
export async function streams(
  model: BenchModel,
  engine: EngineHost,
  threads: number,
  { transformers, llama }: Peers,
): Promise<Row[]> {
  const bare = await BareSession.open(graphPath(model, ROWS), engine.spec, threads);
  const found = BATCHES.map((batch) => ({ batch, engine: [] as Rates, bare: [] as Rates, llama: [] as Rates }));
  const peer: Rates = [];
  for (let round = 0; round < ROUNDS; round++) {
    if (transformers !== null) peer.push(await transformers.tokensPerSecond(shortPrompts(model, 1)));
    for (const one of found) {
      const prompts = shortPrompts(model, one.batch);
      // Before and after, so that a machine that turns slower meanwhile is slower for both.
      const before = await bare.measure(one.batch, BARE_STEPS);
      one.engine.push(await throughput(engine, prompts, TOKENS));
      const after = await bare.measure(one.batch, BARE_STEPS);
      one.bare.push((2000 * one.batch) / (before + after));
      if (llama !== null) one.llama.push(await llama.tokensPerSecond(prompts));
    }
    console.error(`streams: round ${round + 1} of ${ROUNDS}`);
  }
  await bare.close();

  const single = found[0]?.engine ?? [];
  const sixteen = found.at(-1)?.engine ?? [];
  const rows: Row[] = found.map(({ batch, engine: rates, bare: bareRates }) => [
    `engine, ${count(batch)}`,
    `${perSecond(median(rates))}, ${percent(median(ratios(rates, bareRates)))} of bare session.run`,
    ">= 90 %",
  ]);
  rows.push(["16 streams against own single stream", times(median(ratios(sixteen, single))), ">= 2.5 x"]);
  if (transformers === null) rows.push(["transformers.js", "not installed (--peers)", ""]);
  else {
    rows.push([`transformers.js, ${MERGED}, 1 stream`, perSecond(median(peer)), ""]);
    rows.push(["16 streams against transformers.js", times(median(ratios(sixteen, peer))), ">= 3 x"]);
  }
  if (llama === null) rows.push(["llama.cpp", "not installed (--peers, --gguf)", ""]);
  else
    for (const one of found)
      rows.push([
        `llama.cpp (node-llama-cpp), ${count(one.batch)}`,
        `${perSecond(median(one.llama))}, engine ${times(median(ratios(one.engine, one.llama)))}`,
        "",
      ]);
  rows.push(["share of memory bandwidth", bandwidthShare(model, median(single)), ""]);
  return rows;
}

/** One stream on each of our graphs, transformers.js between them, after a short prompt and a long one; the first is the file that it runs. */
export async function graphs(model: BenchModel, threads: number, peers: Peers): Promise<Row[]> {
  const published = await handBackRows(await readFile(graphPath(model, model.gqa)));
  if (published === null) throw new Error(`${model.gqa} is left as it is when it is published`);
  const names = [...model.graphs, publishedName(model)];
  // Beside the others, because its weights are where theirs are.
  await writeFile(graphPath(model, publishedName(model)), published);
  const engines = await Promise.all(names.map((name) => startEngine(model, name, threads)));
  await rm(graphPath(model, publishedName(model)));
  try {
    return await compareGraphs(model, names, engines, peers);
  } finally {
    for (const engine of engines) await engine.close();
  }
}

const publishedName = ({ gqa }: BenchModel): string => `${gqa}_as_published`;

async function compareGraphs(
  model: BenchModel,
  names: readonly string[],
  engines: readonly EngineHost[],
  { transformers }: Peers,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [prompt = new Int32Array([1])] of [shortPrompts(model, 1), [model.long]]) {
    const rates = engines.map((): Rates => []);
    const peer: Rates = [];
    for (let round = 0; round < ROUNDS; round++) {
      for (const [n, engine] of engines.entries()) rates[n]?.push(await throughput(engine, [prompt], TOKENS));
      if (transformers !== null) peer.push(await transformers.tokensPerSecond([prompt]));
      console.error(`graphs, prompt of ${prompt.length}: round ${round + 1} of ${ROUNDS}`);
    }
    const against = rates.map((each) => median(ratios(each, peer)));
    const after = `1 stream after ${prompt.length} tokens`;
    for (const [n, name] of names.entries()) {
      const ratio = transformers === null ? "" : `, ${times(against[n] ?? Number.NaN)} transformers.js`;
      const goal = n === 0 && transformers !== null ? ">= 1.0 x" : "";
      rows.push([`engine, ${name}, ${after}`, perSecond(median(rates[n] ?? [])) + ratio, goal]);
    }
    const gain = median(ratios(rates.at(-1) ?? [], rates[names.indexOf(model.gqa)] ?? []));
    rows.push([`${publishedName(model)} against ${model.gqa}, ${after}`, times(gain), ""]);
    if (transformers !== null)
      rows.push([`best graph, ${after}, against transformers.js`, times(Math.max(...against)), ">= 1.2 x"]);
  }
  return rows;
}

/** A decode step reads every weight once: what one stream reads a second, against what memory gives one thread. */
function bandwidthShare(model: BenchModel, tokensPerSecond: number): string {
  const limit = memoryBandwidth();
  return `${percent((weightBytes(model) * tokensPerSecond) / limit)} of ${(limit / 1e9).toFixed(1)} GB/s`;
}

const count = (streams: number): string => (streams === 1 ? "1 stream" : `${streams} streams`);
