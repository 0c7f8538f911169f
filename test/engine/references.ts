import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import * as z from "zod";
import { openBackbone } from "../../functions/origin/backbones/open.ts";
import type { GenerateRequest } from "../../functions/origin/engine/request.ts";
import { harness, random, request } from "./builtin.ts";

/**
 * Greedy ids of a real language model against its recorded references, through the whole engine: every prompt alone,
 * then all of them joining at random steps while others leave.
 *
 *     node test/engine/references.ts --model DIR [--graph decoder_rows_q4] [--prompts 50] [--threads 2]
 *
 * DIR is a folder as `recipes/smollm2-135m-instruct/make.sh` builds it: graphs, weights, reference.json. Exits 1 when a
 * graph's ids differ from those that were recorded for it; `_fp32` graphs are compared with transformers itself.
 */
const { values } = parseArgs({
  options: {
    model: { type: "string" },
    graph: { type: "string", multiple: true },
    prompts: { type: "string", default: "50" },
    threads: { type: "string", default: "2" },
  },
});
if (values.model === undefined) throw new Error("--model DIR is missing");
const folder = values.model;

const answer = z.object({ output_ids: z.array(z.int()) });
const reference = z
  .object({
    about: z.object({ new_tokens: z.int() }),
    prompts: z.array(z.looseObject({ input_ids: z.array(z.int()), transformers_fp32: answer })),
  })
  .parse(readJson("reference.json"));

const GRAPHS = ["merged", "gqa", "rows"].flatMap((layout) => {
  const name = layout === "merged" ? "decoder_model_merged" : `decoder_${layout}`;
  return [`${name}_q4`, `${name}_q4_fp32`];
});

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(join(folder, name), "utf8")) as unknown;
}

async function check(graph: string): Promise<boolean> {
  const backbone = await openBackbone({
    provider: "cpu",
    threads: Number(values.threads),
    maxSequences: 16,
    decoder: join(folder, "onnx", `${graph}.onnx`),
    embedTokens: join(folder, "onnx", "embed_tokens_q4.onnx"),
    config: readJson("config.json"),
    generationConfig: readJson("generation_config.json"),
  });
  const prompts = reference.prompts.slice(0, Number(values.prompts));
  const expected = prompts.map((prompt) => {
    const own = graph.endsWith("_fp32") ? prompt.transformers_fp32 : answer.parse(prompt[graph]);
    return own.output_ids;
  });
  const sampling = { max_tokens: reference.about.new_tokens, temperature: 0, ignore_eos: true };
  const requests = prompts.map(({ input_ids }, i) => request({ id: `p${i}`, tokenIds: input_ids, sampling }));

  const alone = await run(requests, (h, one) => {
    h.engine.submit(one);
    return h.drain();
  });
  const next = random(20_261_124);
  const mixed = await run(requests, async (h, one) => {
    h.engine.submit(one);
    // Between two arrivals a few steps pass; every fifth time somebody comes who leaves again.
    const visitor = request({
      tokenIds: [1, ...one.tokenIds.slice(0, 40)],
      sampling: { max_tokens: 40, ignore_eos: true },
    });
    const visits = next() < 0.2;
    if (visits) h.engine.submit(visitor);
    for (let steps = Math.floor(next() * 12); steps > 0; steps--) await h.engine.step();
    if (visits) h.engine.cancel(visitor.id);
  });
  await backbone.dispose();

  const same = (ids: readonly (readonly number[])[]): number =>
    ids.filter((one, i) => one.join() === expected[i]?.join()).length;
  console.log(`${graph.padEnd(30)} alone ${same(alone)}/${prompts.length}   mixed ${same(mixed)}/${prompts.length}`);
  return same(alone) === prompts.length && same(mixed) === prompts.length;

  async function run(
    all: readonly GenerateRequest[],
    submit: (h: ReturnType<typeof harness>, one: GenerateRequest) => Promise<void>,
  ): Promise<number[][]> {
    const h = harness(backbone, { kvBytes: 2 ** 31, prefillSliceMs: 50, maxChunkTokens: 512 });
    for (const one of all) await submit(h, one);
    await h.drain();
    return all.map(({ id }) => h.outcome(id).choices[0] ?? []);
  }
}

let good = true;
for (const graph of values.graph ?? GRAPHS) {
  if (existsSync(join(folder, "onnx", `${graph}.onnx`))) good = (await check(graph)) && good;
  else console.log(`${graph.padEnd(30)} not in ${folder}`);
}
process.exitCode = good ? 0 : 1;
