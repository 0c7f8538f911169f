import { createHash, type Hash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { decoderGraphs } from "./decoder.ts";
import { graphData } from "./graph-data.ts";

/** What the processor, the prompt and the end of an answer are made from. */
const SETTINGS = [
  "config.json",
  "generation_config.json",
  "preprocessor_config.json",
  "processor_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
];

const COMPILER = path.join(import.meta.dirname, "../../shared/encoder");

/**
 * sha256 over all that the choice of an encoder's runtime depends on: its graph, the examples, the processor, the decoder and
 * tokenizer that answer the recorded questions, and the compiler's own code. Nothing is held in memory: a decoder has gigabytes.
 */
export async function inputsHash(dir: string, graph: string): Promise<string> {
  const decoder = await decoderGraphs(dir);
  const graphs = [graph, ...(decoder === null ? [] : [decoder.embed, decoder.decoder])].map((name) =>
    path.join(dir, name),
  );
  const data = await Promise.all(graphs.map(graphData));
  const files = [
    ...graphs,
    ...data.flat().map(({ file }) => file),
    ...(await filesIn(path.join(dir, "examples"))),
    ...SETTINGS.map((name) => path.join(dir, name)).filter((file) => existsSync(file)),
  ];
  const hash = createHash("sha256");
  for (const file of [...new Set(files)].toSorted()) await add(hash, path.relative(dir, file), file);
  const code = (await readdir(COMPILER, { recursive: true })).filter((name) => /(?<!\.test)\.(?:ts|wasm)$/.test(name));
  for (const name of code.toSorted()) await add(hash, name, path.join(COMPILER, name));
  return hash.digest("hex");
}

/** A model folder may keep more below its examples, which no example names. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = (await readdir(folder)).map((name) => path.join(folder, name));
  const files = await Promise.all(entries.map(async (entry) => ((await stat(entry)).isFile() ? [entry] : [])));
  return files.flat();
}

async function add(hash: Hash, name: string, file: string): Promise<void> {
  hash.update(name);
  for await (const part of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(part as Buffer);
}
