import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

/**
 * llama.cpp through node-llama-cpp on the GGUF that the ONNX weights were taken from, in a process of its own.
 *
 *     node llama-cpp.ts PEERS_DIR GGUF THREADS TOKENS
 *
 * Prints `{ready}`, then `{tokens_per_second}` for each line `[[id, ...], ...]`, one stream a prompt.
 */
const [peers = "", gguf = "", threads = "2", tokens = "48"] = process.argv.slice(2);

interface Sequence {
  evaluate(ids: number[], options: object): AsyncIterable<number>;
  clearHistory(): Promise<void>;
}
interface Library {
  getLlama(options: object): Promise<{
    loadModel(options: object): Promise<{
      createContext(options: object): Promise<{ getSequence(): Sequence }>;
    }>;
  }>;
}

const entry = createRequire(join(peers, "package.json")).resolve("node-llama-cpp");
const library = (await import(pathToFileURL(entry).href)) as Library;
const llama = await library.getLlama({ gpu: false, build: "never", logLevel: "error", maxThreads: Number(threads) });
const model = await llama.loadModel({ modelPath: gguf });
const context = await model.createContext({ sequences: 16, contextSize: 512, threads: Number(threads) });
const sequences = Array.from({ length: 16 }, () => context.getSequence());

async function one(sequence: Sequence | undefined, ids: readonly number[]): Promise<number[]> {
  const times: number[] = [];
  if (sequence === undefined) return times;
  for await (const _ of sequence.evaluate([...ids], { temperature: 0, yieldEogToken: true })) {
    times.push(performance.now());
    if (times.length >= Number(tokens)) break;
  }
  await sequence.clearHistory();
  return times;
}

async function tokensPerSecond(prompts: readonly (readonly number[])[]): Promise<number> {
  const times = await Promise.all(prompts.map((ids, i) => one(sequences[i], ids)));
  const began = Math.max(...times.map(([first = 0]) => first));
  const ended = Math.min(...times.map((each) => each.at(-1) ?? 0));
  const counted = times.flat().filter((time) => time > began && time <= ended).length;
  return (counted / (ended - began)) * 1000;
}

await one(sequences[0], [1, 2, 3]);
console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify({ tokens_per_second: await tokensPerSecond(JSON.parse(line) as number[][]) }));
}
process.exit(0);
