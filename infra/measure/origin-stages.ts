import { existsSync } from "node:fs";
import { copyFile, link, mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { serialize } from "node:v8";
import * as z from "zod";
import type { EncoderThreadData } from "../../functions/origin/encoder/messages.ts";
import type { BackboneSource } from "../../functions/origin/backbones/open.ts";
import type { SessionSettings } from "../../functions/origin/backbones/sessions.ts";
import type { EncoderSource } from "../../shared/encoding/encoder-inputs.ts";
import { runNode } from "../process/run.ts";
import type { HubFolder } from "../releases/hub-folder.ts";
import { readPlanned, type PlannedFile } from "../releases/file-plan.ts";
import type { PlannedRelease } from "../releases/plan-release.ts";
import type { Figure } from "./kept-figure.ts";

/** What the process is asked to run; paths are those of the stage's files as a release lays them out. */
export type OriginJob =
  | {
      readonly stage: "vision_encoder";
      readonly encoder: Omit<EncoderThreadData, keyof SessionSettings>;
      readonly source: EncoderSource;
    }
  | { readonly stage: "embed_tokens"; readonly embedTokens: string; readonly tokens: number }
  | {
      readonly stage: "backbone";
      readonly source: Omit<BackboneSource, keyof SessionSettings | "maxSequences">;
      readonly tokens: number;
    };

const resultSchema = z.union([
  z.object({ memoryBytes: z.number(), loadMs: z.number(), runMs: z.number() }),
  z.object({ exceeded: z.number() }),
]);

const COPY_BYTES = 8 * 1024 * 1024;

/** The stages of a release that the origin runs, each in a process of its own. Their files are laid out when one is asked. */
export class OriginStages {
  readonly #planned: PlannedRelease;
  readonly #hub: HubFolder;
  #folder: string | null = null;

  constructor(planned: PlannedRelease, hub: HubFolder) {
    this.#planned = planned;
    this.#hub = hub;
  }

  async encoder(source: EncoderSource): Promise<Figure> {
    const { inputs = [] } = this.#planned.stages.vision_encoder ?? {};
    const encoder = {
      graph: await this.#graph("vision_encoder"),
      inputs,
      preprocessorConfig: await this.#json("preprocessor_config.json"),
      processorConfig: await this.#json("processor_config.json"),
      config: await this.#json("config.json"),
    };
    return runStage({ stage: "vision_encoder", encoder, source });
  }

  async embedTokens(tokens: number): Promise<Figure> {
    return runStage({ stage: "embed_tokens", embedTokens: await this.#graph("embed_tokens"), tokens });
  }

  /** With its embeddings, as the origin loads them. */
  async backbone(tokens: number): Promise<Figure> {
    const source = {
      decoder: await this.#graph("backbone"),
      embedTokens: await this.#graph("embed_tokens"),
      config: await this.#json("config.json"),
      generationConfig: await this.#json("generation_config.json"),
      prompt: this.#planned.stages.backbone?.prompt,
    };
    return runStage({ stage: "backbone", source, tokens });
  }

  async remove(): Promise<void> {
    if (this.#folder !== null) await rm(this.#folder, { recursive: true, force: true });
  }

  /** Lays out a stage's files as a release has them; the path of its graph. */
  async #graph(name: "vision_encoder" | "embed_tokens" | "backbone"): Promise<string> {
    const folder = (this.#folder ??= await mkdtemp(path.join(tmpdir(), "fovea-measure-")));
    const wanted = this.#planned.stages[name]?.files ?? [];
    for (const file of this.#planned.files) {
      const target = path.join(folder, file.name);
      if (wanted.includes(file.name) && !existsSync(target)) await lay(file, target);
    }
    return path.join(folder, wanted[0] ?? "");
  }

  #json(name: string): Promise<unknown> {
    return this.#hub.has(name) ? this.#hub.json(name) : Promise.resolve(undefined);
  }
}

/**
 * Runs a stage in a process of its own.
 * @throws Error with its own words when it cannot run, or what it took when that was more than the machine has
 */
export async function runStage(job: OriginJob): Promise<Figure> {
  const folder = await mkdtemp(path.join(tmpdir(), "fovea-stage-"));
  try {
    const file = path.join(folder, "job");
    await writeFile(file, serialize(job));
    const { code, stdout, stderr } = await runNode([path.join(import.meta.dirname, "origin-process.ts"), file]);
    const line = stdout.trim().split("\n").at(-1) ?? "";
    if (code !== 0 || line === "") throw new Error(`the ${job.stage} does not run here: ${errorLine(stderr)}`);
    const result = resultSchema.parse(JSON.parse(line));
    if (!("exceeded" in result)) return result;
    const gigabytes = Math.floor(result.exceeded / 1e9);
    throw new Error(`the ${job.stage} takes more than ${gigabytes} GB on the largest picture that is admitted`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function lay(file: PlannedFile, target: string): Promise<void> {
  await mkdir(path.dirname(target), { recursive: true });
  const [only] = file.segments;
  if (file.segments.length === 1 && only?.kind === "range" && only.offset === 0) {
    const { path: source } = only;
    await link(source, target).catch(() => copyFile(source, target));
    return;
  }
  const handle = await open(target, "w");
  try {
    for (let at = 0; at < file.size; at += COPY_BYTES) {
      const bytes = new Uint8Array(Math.min(COPY_BYTES, file.size - at));
      await readPlanned(file, at, bytes);
      await handle.write(bytes, 0, bytes.length, at);
    }
  } finally {
    await handle.close();
  }
}

/** What an uncaught error says of itself. */
function errorLine(stderr: string): string {
  const lines = stderr.trim().split("\n");
  return (lines.find((line) => line.includes("Error")) ?? lines.at(-1) ?? "").slice(0, 300);
}
