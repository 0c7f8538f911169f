import { readFile } from "node:fs/promises";
import { CONTENDERS } from "./contenders.ts";

/** Runs of one step: at least so many, and at least so long. */
const MIN_RUNS = 5;
const MIN_MS = 600;
const PAIRS = 11;

const [name = "", step = "", file = ""] = process.argv.slice(2);
const start = CONTENDERS[name];
if (start === undefined) throw new Error(`No contender "${name}".`);

const contender = await start();
const bytes = new Uint8Array(await readFile(file));
const run = async (): Promise<() => Promise<unknown>> => {
  if (step === "decode") return () => contender.decode(bytes);
  if (step === "whole") return () => contender.whole(bytes);
  const decoded = await contender.decode(bytes);
  return () => contender.resize(decoded);
};

/** The whole way against the decode alone, in turn: the median of pairs, so that a busy machine slows both. */
async function wholeToDecode(): Promise<number> {
  const ratios: number[] = [];
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const begin = performance.now();
    await contender.decode(bytes);
    const between = performance.now();
    await contender.whole(bytes);
    ratios.push((performance.now() - between) / (between - begin));
  }
  return ratios.toSorted((a, b) => a - b)[Math.trunc(PAIRS / 2)] ?? Number.NaN;
}

/** Kilobytes of the process at its largest so far. */
const peak = (): number => process.resourceUsage().maxRSS;
const before = peak();
const once = await run();
const times: number[] = [];
for (const begin = performance.now(); times.length < MIN_RUNS || performance.now() - begin < MIN_MS;) {
  const at = performance.now();
  await once();
  times.push(performance.now() - at);
}
times.sort((a, b) => a - b);
const result = {
  name: contender.name,
  ms: times[0],
  peakKiB: peak() - before,
  ratio: step === "whole" ? await wholeToDecode() : undefined,
};
process.stdout.write(JSON.stringify(result));
process.exit(0);
