import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import type { BackboneSource } from "../../functions/origin/backbones/open.ts";
import { PROVIDERS } from "../../functions/origin/backbones/providers.ts";

/** What the bench serves: a folder with `onnx/`, `config.json` and `generation_config.json`, and what is asked of it. */
export interface BenchModel {
  readonly folder: string;
  readonly name: string;
  /** Ids; about 40 each. */
  readonly prompts: readonly Int32Array[];
  /** 612 ids: as much as a question about a picture takes. */
  readonly long: Int32Array;
  /** Graphs of the decoder to compare; the first is the file that transformers.js runs. */
  readonly graphs: readonly string[];
  /** The one of them around GroupQueryAttention, from which `fovea publish` makes one in the layout `rows`. */
  readonly gqa: string;
  readonly embedTokens: string;
}

/** The graph that streams run on. */
export const ROWS = "decoder_rows_q4";
/** What transformers.js loads by. */
export const MERGED = "decoder_model_merged_q4";

const referenceSchema = z.object({ prompts: z.array(z.object({ input_ids: z.array(z.int()) })) });

/** A folder as `recipes/smollm2-135m-instruct/make.sh` builds it: the layouts as graphs of their own, weights shared by all. */
export function openModel(folder: string): BenchModel {
  if (!existsSync(join(folder, "reference.json"))) throw new Error(`${folder} has no reference.json: no such model`);
  const reference = referenceSchema.parse(readJson(folder, "reference.json"));
  const prompts = reference.prompts.map(({ input_ids }) => Int32Array.from(input_ids));
  const [, long] = prompts.toSorted((a, b) => b.length - a.length);
  if (long === undefined) throw new Error(`${folder}/reference.json has no two prompts`);
  const gqa = "decoder_gqa_q4";
  const graphs = [MERGED, gqa, ROWS];
  return { folder, name: "SmolLM2-135M", prompts, long, graphs, gqa, embedTokens: "embed_tokens_q4" };
}

export function graphPath({ folder }: BenchModel, graph: string): string {
  return join(folder, "onnx", `${graph}.onnx`);
}

/** Of the decoder that streams run on, in bytes. */
export function weightBytes(model: BenchModel): number {
  const shared = join(model.folder, "onnx/model_q4.onnx_data");
  return statSync(existsSync(shared) ? shared : graphPath(model, ROWS)).size;
}

export function sourceOf(model: BenchModel, graph: string, threads: number): BackboneSource {
  return {
    provider: z
      .enum([...PROVIDERS, "auto"])
      .default("cpu")
      .parse(process.env["FOVEA_PROVIDER"]),
    threads,
    maxSequences: 16,
    decoder: graphPath(model, graph),
    embedTokens: graphPath(model, model.embedTokens),
    config: readJson(model.folder, "config.json"),
    generationConfig: readJson(model.folder, "generation_config.json"),
  };
}

function readJson(folder: string, name: string): unknown {
  return JSON.parse(readFileSync(join(folder, name), "utf8")) as unknown;
}
