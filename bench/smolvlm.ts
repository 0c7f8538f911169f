import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import OpenAI from "openai";
import * as z from "zod";
import { buildPlayground } from "../infra/build/playground.ts";
import { describePicture } from "../infra/import/describe.ts";
import { importModel, type Imported } from "../infra/import/import-model.ts";
import { localModel } from "../infra/import/model-source.ts";
import { startStack, type Stack } from "../infra/local/stack.ts";
import { openStore } from "../infra/store/open-store.ts";
import { exampleDataUri } from "../test/examples.ts";
import type { Bench } from "./bench.ts";
import { temporaryFolder } from "./files/temporary-folder.ts";
import { writeSmolVlm } from "./smolvlm/folder.ts";

const MODEL = "SmolVLM-256M-random";
/** A picture in 17 tiles takes a minute on two busy cores. */
const ANSWER_TIMEOUT_MS = 600_000;

const spanSchema = z.object({ name: z.string(), place: z.string(), duration_ms: z.number() });
const answerSchema = z.object({
  fovea: z.object({ timing: z.object({ wire_bytes: z.number(), spans: z.array(spanSchema) }) }),
});

/** A release of SmolVLM-256M's dimensions with random weights: written, imported, published, served, asked. */
export const bench: Bench = {
  name: "smolvlm",
  title: "A model of SmolVLM-256M's dimensions, from import to an answer: memory and time per stage (encoder q8 or q4)",
  usage: "[q8 | q4]",
  allows: /^q[84]$/,
  async run({ args: [dtype = "q8"] }) {
    await buildPlayground();
    const directory = await temporaryFolder("smolvlm");
    const model = path.join(directory, MODEL);
    const writing = await timed(() => writeSmolVlm(model));
    const options = { port: 0, originPort: 0, directory: path.join(directory, "stack"), apiKey: "bench" };
    const stack = await startStack(options);
    try {
      const importing = await timed(() => importAs(stack, model, dtype));
      const first = await timed(() => ask(stack, "what is this"));
      const second = await timed(() => ask(stack, "and what else"));
      const imported = importing.result;
      return {
        columns: ["stage", "at", "dtype", "MB", "", "load ms", "run ms"],
        rows: rowsOf(imported),
        notes: [
          `the folder: ${megabytes(await folderBytes(model))}, written in ${writing.took}`,
          `the release: ${megabytes(imported.totalBytes)}, checked, measured and published in ${importing.took}`,
          ...describePicture(imported).map((line) => line.trim()),
          `first question: ${first.took}: ${first.result}`,
          `second question about the same picture: ${second.took}: ${second.result}`,
        ],
      };
    } finally {
      await stack.stop();
    }
  },
};

async function importAs({ s3 }: Stack, model: string, encoder: string): Promise<Imported> {
  const store = await openStore(`s3://${s3.bucket}`, s3);
  const dtype = `vision_encoder=${encoder},embed_tokens=fp16,backbone=q4`;
  // A folder of its own for figures, so that each run measures.
  const measuring = { place: "auto", measure: true, cacheDir: path.join(path.dirname(model), "measured") } as const;
  const options = { model: MODEL, store, dtype, key: null, trust: "unsigned", ...measuring } as const;
  return importModel(localModel(model), options).finally(() => store.close());
}

/** Asks about a picture through the edge; gives where the time went. */
async function ask({ edgeUrl, apiKey }: Stack, text: string): Promise<string> {
  const client = new OpenAI({ baseURL: `${edgeUrl}/v1`, apiKey, maxRetries: 0, timeout: ANSWER_TIMEOUT_MS });
  const url = await exampleDataUri("02_what.jpg");
  const content = [
    { type: "image_url", image_url: { url } },
    { type: "text", text },
  ] as const;
  const answer = await client.chat.completions.create({
    model: MODEL,
    max_completion_tokens: 16,
    messages: [{ role: "user", content: [...content] }],
  });
  const { wire_bytes, spans } = answerSchema.parse(answer).fovea.timing;
  const parts = spans.map(({ name, place, duration_ms }) => `${name} at ${place} ${Math.round(duration_ms)} ms`);
  return `${parts.join(", ")}; ${megabytes(wire_bytes)} on the wire`;
}

function rowsOf({ planned, figures }: Imported): (string | number)[][] {
  return Object.entries(planned.stages).map(([name, { placement, dtype, memoryBytes }]) => {
    const figure = figures[name as keyof typeof figures];
    const times = figure === undefined ? ["estimate", "", ""] : ["measured", figure.loadMs, figure.runMs];
    return [name, placement, dtype, (memoryBytes / 1e6).toFixed(1), ...times.map(whole)];
  });
}

function whole(value: string | number): string | number {
  return typeof value === "number" ? Math.round(value) : value;
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly took: string }> {
  const started = performance.now();
  const result = await work();
  return { result, took: `${((performance.now() - started) / 1000).toFixed(1)} s` };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

async function folderBytes(dir: string): Promise<number> {
  const names = await readdir(dir, { recursive: true });
  const sizes = await Promise.all(names.map(async (name) => (await stat(path.join(dir, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
