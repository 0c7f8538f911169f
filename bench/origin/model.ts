import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import type { BackboneSource } from "../../functions/origin/backbones/open.ts";
import { PROVIDERS } from "../../functions/origin/backbones/providers.ts";

/** A folder as `recipes/smollm2-135m-instruct/make.sh` builds it. */
export interface BenchModel {
  readonly folder: string;
  /** Prompts of real length, ids. */
  readonly prompts: readonly Int32Array[];
}

export function openModel(folder: string): BenchModel {
  const reference = z
    .object({ prompts: z.array(z.object({ input_ids: z.array(z.int()) })) })
    .parse(readJson(folder, "reference.json"));
  return { folder, prompts: reference.prompts.map(({ input_ids }) => Int32Array.from(input_ids)) };
}

export function graphPath({ folder }: BenchModel, graph: string): string {
  return join(folder, "onnx", `${graph}.onnx`);
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
    embedTokens: graphPath(model, "embed_tokens_q4"),
    config: readJson(model.folder, "config.json"),
    generationConfig: readJson(model.folder, "generation_config.json"),
  };
}

function readJson(folder: string, name: string): unknown {
  return JSON.parse(readFileSync(join(folder, name), "utf8")) as unknown;
}
