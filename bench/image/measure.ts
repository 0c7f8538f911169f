import { readFile } from "node:fs/promises";
import { CONTENDERS } from "./contenders.ts";

/** Runs of one step: at least so many, and at least so long. */
const MIN_RUNS = 5;
const MIN_MS = 600;

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
const result = { name: contender.name, ms: times[Math.trunc(times.length / 2)], peakKiB: peak() - before };
process.stdout.write(JSON.stringify(result));
process.exit(0);
